/** Why a request was not carried out, in stable words that callers may rely on. */
export type RefusalCode =
  | "malformed"
  | "unauthorized"
  | "forbidden"
  | "not-found"
  | "gone"
  | "not-admin"
  | "group-not-found"
  | "link-not-found"
  | "link-active"
  | "not-awaiting-approval"
  | "deletion-failed"
  | "unavailable";

/** The messages that people know from the help page (import-rules 5), word for word. */
const MESSAGES: Partial<Record<RefusalCode, string>> = {
  "not-admin":
    "連携できないユーザーです。DocusignユーザーのデフォルトアカウントがDS Adminかどうか確認してください。",
  "group-not-found": "取り込み先契約書グループが見つかりませんでした。",
  "link-not-found": "連携情報が見つかりませんでした。",
  "deletion-failed": "削除に失敗しました。もう一度お試しください。",
};

/** What we will not do, and why: the caller's to mend, never a fault of ours. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string = MESSAGES[code] ?? code, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
