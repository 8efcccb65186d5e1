import { Refusal } from "../domain/refusal.ts";

/** What is the request's fault and has a status of its own rather than a word of ours (see `problemFor`). */
export class RequestFault extends Error {
  override readonly name = "RequestFault";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A token came, but cannot be accepted; the answer says so in `WWW-Authenticate` (RFC 6750 3.1). */
export class InvalidToken extends Refusal {
  constructor(options?: ErrorOptions) {
    super("unauthorized", undefined, options);
  }
}
