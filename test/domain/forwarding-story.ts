import type { Forwarding, Recipient } from "../../src/domain/envelope.ts";

/** A case of forwarding: the recipients that DocuSign finally lists, and the recorded events. */
export type Story = {
  readonly tells: string;
  readonly listed: readonly Recipient[];
  readonly events?: readonly Forwarding[];
};

export const nobody = { userId: null, email: null };
