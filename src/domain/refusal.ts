/** Stable codes for a request that was rejected; callers may rely on them. */
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
  | "not-active"
  | "not-paused"
  | "deletion-failed"
  | "unavailable";

/** The messages of the help page (import-rules 5), word for word. */
const MESSAGES: Partial<Record<RefusalCode, string>> = {
  "not-admin":
    "連携できないユーザーです。DocusignユーザーのデフォルトアカウントがDS Adminかどうか確認してください。",
  "group-not-found": "取り込み先契約書グループが見つかりませんでした。",
  "link-not-found": "連携情報が見つかりませんでした。",
  "deletion-failed": "削除に失敗しました。もう一度お試しください。",
};

/** A rejected request. The caller can correct it; it is not a fault of this program. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string = MESSAGES[code] ?? code, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
