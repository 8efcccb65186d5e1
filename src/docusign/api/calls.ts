import type { AccountId } from "../../domain/identifiers.ts";
import { type Answer, faultOfAnswer, faultOfSilence, isHtml } from "../faults/answer-faults.ts";
import { DocuSignFault, mayHaveMoved } from "../faults/faults.ts";
import { type CallLimits, readCallLimits } from "../faults/limits.ts";
import { openSdk, type Sdk, type SdkCallback } from "./sdk.ts";
import { answerOf } from "./sdk-answer.ts";

export type DocuSignAccountOptions = {
  /** The account's `base_uri`, without `/restapi`. */
  readonly baseUri: string;
  readonly accountId: AccountId;
  /** Returns an access token. Pass a token that DocuSign rejected as `stale` to force a refresh. */
  readonly accessToken: (stale?: string) => Promise<string>;
  /** How long DocuSign may be silent; 30 s by default. A whole call may take four times as long. */
  readonly timeoutMs?: number;
  /** Time limit of a whole download; 10 minutes by default. */
  readonly downloadTimeoutMs?: number;
  /** Called once for each HTTP call, successful or not. */
  readonly onAnswer?: (limits: CallLimits) => void;
  /**
   * Called if a call for the whole account failed in a way that a move to another site explains. Returns the account's
   * current `base_uri`; null if it is the same or unknown.
   */
  readonly findMoved?: (baseUri: string) => Promise<string | null>;
  readonly now?: () => Date;
  /** Aborting it ends all current and further calls with its reason. */
  readonly signal?: AbortSignal;
};

/** The options with all defaults applied. */
export type CallSettings = Required<Omit<DocuSignAccountOptions, "baseUri">> & { readonly site: Site };

/** The address of the account, which changes if the account moves. */
type Site = { baseUri: string };

/** Makes one call of docusign-esign. Returns the body of the successful answer or throws a `DocuSignFault`. */
export type Call = (
  operation: (sdk: Sdk, accountId: AccountId, done: SdkCallback) => unknown,
) => Promise<unknown>;

/** Applies the defaults. */
export function callSettings({ baseUri, ...options }: DocuSignAccountOptions): CallSettings {
  return {
    timeoutMs: 30_000,
    downloadTimeoutMs: 600_000,
    onAnswer: () => {},
    findMoved: async () => null,
    now: () => new Date(),
    signal: new AbortController().signal,
    ...options,
    site: { baseUri: withoutSlash(baseUri) },
  };
}

/** Makes calls for one account. A rejected token is refreshed once per call. */
export function createCall(settings: CallSettings): Call {
  return (operation) =>
    withFreshToken(settings.accessToken, async (token) => {
      const sdk = openSdk(settings.site.baseUri, token, settings.timeoutMs);
      const answer = await reported(settings, () =>
        answerOf((done) => operation(sdk, settings.accountId, done), settings.timeoutMs * 4),
      );
      if (answer.status >= 300 || isHtml(answer)) throw faultOfAnswer(answer, settings.now());
      return answer.body;
    });
}

/** Like `call`, for calls that concern the whole account. Follows the account if it moved to another site. */
export function followMoves({ site, findMoved }: CallSettings, call: Call): Call {
  return async (operation) => {
    const { baseUri } = site;
    try {
      return await call(operation);
    } catch (error) {
      const moved = error instanceof DocuSignFault && mayHaveMoved(error) ? await findMoved(baseUri) : null;
      if (moved === null) throw error;
      site.baseUri = withoutSlash(moved);
      return await call(operation);
    }
  };
}

function withoutSlash(address: string): string {
  return address.replace(/\/+$/, "");
}

/** Reports the limits of an answer. A call without an answer is reported too, since DocuSign may have counted it. */
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

/** Tries with a token and, if DocuSign rejects it, once more with a refreshed one. */
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

/** docusign-esign cannot abort a call: the call goes on, but nothing waits for it any more. */
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
