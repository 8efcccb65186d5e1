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

/** Returns the UUID in lower case, or null if the text is not a UUID. */
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

/** Returns true if the text is a valid group id: 1 to 64 characters of `A-Z a-z 0-9 . _ -`. */
export function isGroupId(text: string): boolean {
  return GROUP_ID.test(text);
}
