import type { AccountId } from "../../domain/identifiers.ts";
import { type Answer, faultOfAnswer, faultOfSilence, isHtml } from "../faults/answer-faults.ts";
import { DocuSignFault } from "../faults/faults.ts";
import { type CallLimits, readCallLimits } from "../faults/limits.ts";
import { openSdk, type Sdk, type SdkCallback } from "./sdk.ts";
import { answerOf } from "./sdk-answer.ts";

export type DocuSignAccountOptions = {
  /** The account's `base_uri`, without `/restapi`. */
  readonly baseUri: string;
  readonly accountId: AccountId;
  /** An access token; with `stale`, another one than that, which DocuSign refused. */
  readonly accessToken: (stale?: string) => Promise<string>;
  /** How long DocuSign may be silent, 30 s where not given; a whole call may take four times as long. */
  readonly timeoutMs?: number;
  /** How long a whole download may take, 10 minutes where not given. */
  readonly downloadTimeoutMs?: number;
  /** Told once for each HTTP call, successful or not. */
  readonly onAnswer?: (limits: CallLimits) => void;
  readonly now?: () => Date;
  /** Aborted, it ends all calls that are under way, and further ones, with its reason. */
  readonly signal?: AbortSignal;
};

/** The options with everything filled in. */
export type CallSettings = Required<DocuSignAccountOptions>;

/** One call of docusign-esign: gives the body of the successful answer, or throws a `DocuSignFault`. */
export type Call = (
  operation: (sdk: Sdk, accountId: AccountId, done: SdkCallback) => unknown,
) => Promise<unknown>;

/** Fills in what the caller left open. */
export function callSettings(options: DocuSignAccountOptions): CallSettings {
  return {
    timeoutMs: 30_000,
    downloadTimeoutMs: 600_000,
    onAnswer: () => {},
    now: () => new Date(),
    signal: new AbortController().signal,
    ...options,
    baseUri: options.baseUri.replace(/\/+$/, ""),
  };
}

/** Makes calls for one account, each with a token that is refreshed once where it is refused. */
export function createCall(settings: CallSettings): Call {
  return (operation) =>
    withFreshToken(settings.accessToken, async (token) => {
      const sdk = openSdk(settings.baseUri, token, settings.timeoutMs);
      const answer = await reported(settings, () =>
        answerOf((done) => operation(sdk, settings.accountId, done), settings.timeoutMs * 4),
      );
      if (answer.status >= 300 || isHtml(answer)) throw faultOfAnswer(answer, settings.now());
      return answer.body;
    });
}

/** Reports the limits of an answer; of a call without answer that it was made, as DocuSign may have counted it. */
export async function reported<T extends Pick<Answer, "headers">>(
  settings: CallSettings,
  call: () => Promise<T>,
): Promise<T> {
  settings.signal.throwIfAborted();
  const answer = await unlessAborted(settings.signal, call()).catch((error: unknown) => {
    settings.onAnswer(readCallLimits(new Headers()));
    throw faultOfSilence(error);
  });
  settings.onAnswer(readCallLimits(answer.headers));
  return answer;
}

/** Tries with a token, and where DocuSign refuses it once more with another one. */
export async function withFreshToken<T>(
  accessToken: CallSettings["accessToken"],
  attempt: (token: string) => Promise<T>,
): Promise<T> {
  const token = await accessToken();
  try {
    return await attempt(token);
  } catch (error) {
    if (!(error instanceof DocuSignFault) || error.kind !== "authorization-gone") throw error;
    return attempt(await accessToken(token));
  }
}

/** docusign-esign cannot be broken off: its call goes on, and nobody waits for it any more. */
async function unlessAborted<T>(signal: AbortSignal, call: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([call, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
