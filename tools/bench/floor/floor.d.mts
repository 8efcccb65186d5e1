import type pg from "pg";

export type FloorLink = {
  readonly id: string;
  readonly accountId: string;
  readonly baseUrl: string;
  readonly token: string;
};

type Storage = { readonly pool: pg.Pool; readonly directory: string };

export function setUp(pool: pg.Pool): Promise<void>;

/** Returns the contracts' ids. `documents` is given if a listing has told them. */
export function importEnvelope(
  storage: Storage,
  wish: {
    readonly link: FloorLink;
    readonly envelopeId: string;
    readonly documents?: readonly { readonly documentId: string; readonly name: string }[];
  },
): Promise<string[]>;

/** `from` and `to` are ISO 8601 times. Returns the number of listed rows. */
export function quietHour(
  storage: Pick<Storage, "pool">,
  link: FloorLink,
  window: { readonly from: string; readonly to: string },
): Promise<number>;

export function startReceiver(
  wish: Storage & {
    readonly links: ReadonlyMap<string, FloorLink>;
    readonly hmacKey: string;
    readonly onReadable: (envelopeId: string) => void;
  },
): Promise<{ readonly url: string; close(): Promise<void> }>;
