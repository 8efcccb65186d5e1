import { Refusal } from "../domain/refusal.ts";

/** A request fault that has an HTTP status but no refusal code (see `problemFor`). */
export class RequestFault extends Error {
  override readonly name = "RequestFault";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A token was sent but is invalid. `WWW-Authenticate` reports `invalid_token` (RFC 6750 3.1). */
export class InvalidToken extends Refusal {
  constructor(options?: ErrorOptions) {
    super("unauthorized", undefined, options);
  }
}
