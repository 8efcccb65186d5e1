/** Lower-case UUID of a DocuSign envelope. */
export type EnvelopeId = string & { readonly brand: "EnvelopeId" };
/** Lower-case UUID of a DocuSign account. */
export type AccountId = string & { readonly brand: "AccountId" };
/** Lower-case UUID of a DocuSign user. */
export type UserId = string & { readonly brand: "UserId" };
/** Lower-case UUID of a link. */
export type LinkId = string & { readonly brand: "LinkId" };
/** Lower-case UUID of an imported contract. */
export type ContractId = string & { readonly brand: "ContractId" };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The UUID in its one written form (lower case), or null where the text is none. */
export function parseUuid<Id extends EnvelopeId | AccountId | UserId | LinkId | ContractId>(
  text: unknown,
): Id | null {
  if (typeof text !== "string") return null;
  const lower = text.toLowerCase();
  return isUuid<Id>(lower) ? lower : null;
}

function isUuid<Id extends string>(text: string): text is Id {
  return UUID.test(text);
}

const GROUP_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Whether a text can name a contract group (service.md, settled details). */
export function isGroupId(text: string): boolean {
  return GROUP_ID.test(text);
}
