import { Refusal } from "../../domain/refusal.ts";

/** The issuer's answer, as the browser brings it back (RFC 6749 4.1.2, RFC 9207). */
export type SignInAnswer = {
  readonly state: string;
  readonly code: string | null;
  readonly iss: string | null;
  readonly error: string | null;
};

/** The message for a sign-in whose answer cannot be used. */
export const SIGN_IN_FAILED = "ログインを完了できませんでした。もう一度ログインしてください。";

/** Parameters of other kinds of sign-ins, which we never request. */
const FOREIGN: readonly string[] = ["response", "id_token", "token"];

/**
 * Reads the answer from the address of the request. Anyone can send any answer. Refuses with `malformed` what the OpenID
 * Connect library would not distinguish from a failure of the issuer.
 */
export function readSignInAnswer(address: string): SignInAnswer {
  const start = address.indexOf("?");
  const parameters = new URLSearchParams(start === -1 ? "" : address.slice(start + 1));
  const text = (name: string): string | null => {
    const [value, ...others] = parameters.getAll(name);
    // The grammar of RFC 6749, appendix A.
    if (others.length > 0 || !/^[\x20-\x7e]*$/.test(value ?? "")) throw unusable();
    return value === undefined || value === "" ? null : value;
  };
  if (FOREIGN.some((name) => parameters.has(name))) throw unusable();
  return { state: text("state") ?? "", code: text("code"), iss: text("iss"), error: text("error") };
}

function unusable(): Refusal {
  return new Refusal("malformed", SIGN_IN_FAILED);
}
