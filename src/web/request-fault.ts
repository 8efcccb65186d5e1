/** What is the request's fault and has a status of its own rather than a word of ours (see `problemFor`). */
export class RequestFault extends Error {
  override readonly name = "RequestFault";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
