import type { Forwarding, Recipient } from "../../src/domain/envelope.ts";

/** A way of forwarding: what DocuSign lists in the end, and the recorded events. */
export type Story = {
  readonly tells: string;
  readonly listed: readonly Recipient[];
  readonly events?: readonly Forwarding[];
};

export const nobody = { userId: null, email: null };
