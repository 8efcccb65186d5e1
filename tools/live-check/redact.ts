/** Fields whose values are DocuSign's own words, numbers or times, and name nobody. */
const KEPT = new Set([
  ..."status statusCode errorCode error configurationType isAdmin is_default permissionProfileName".split(
    " ",
  ),
  ..."userStatus userType type order display recipientType routingOrder event apiVersion deliveryMode".split(
    " ",
  ),
  ..."purgeState signingLocation envelopeLocation creationReason token_type scope version format".split(" "),
  ..."content-type www-authenticate retry-after base_uri".split(" "),
]);
const HARMLESS =
  /^(?:|true|false|True|False|-?\d{1,9}(?:\.\d+)?|\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)$/;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;
const PERMITTED_HEADERS =
  /^(?:content-type|content-length|date|retry-after|www-authenticate|x-ratelimit-.*|x-burstlimit-.*|x-docusign-.*)$/i;

/** Replaces whatever could name a person, a company, a document or a secret. Equal values stay equal. */
export function createRedaction(): {
  body(value: unknown): unknown;
  headers(headers: Readonly<Record<string, string>>): Record<string, string>;
} {
  const ids = new Map<string, string>();
  const texts = new Map<string, string>();
  const idFor = (id: string): string => {
    const known = ids.get(id.toLowerCase());
    if (known !== undefined) return known;
    const made = `00000000-0000-4000-8000-${String(ids.size + 1).padStart(12, "0")}`;
    ids.set(id.toLowerCase(), made);
    return made;
  };
  const textFor = (text: string): string => {
    const known = texts.get(text) ?? `text ${texts.size + 1}${text.includes("@") ? " @example.com" : ""}`;
    texts.set(text, known);
    return known;
  };
  const value = (name: string, raw: unknown): unknown => {
    if (Array.isArray(raw)) return raw.map((entry) => value(name, entry));
    if (typeof raw === "object" && raw !== null)
      return Object.fromEntries(Object.entries(raw).map(([key, entry]) => [key, value(key, entry)]));
    if (typeof raw !== "string" || HARMLESS.test(raw)) return raw;
    if (/^[0-9a-f-]{36}$/i.test(raw)) return idFor(raw);
    if (KEPT.has(name)) return raw.replace(UUID, idFor);
    if (/^\/|^https?:/.test(raw)) return pathOf(raw).replace(UUID, idFor);
    return textFor(raw);
  };
  return {
    body: (raw) => (typeof raw === "string" ? `text of ${raw.length} characters` : value("", raw)),
    headers: (headers) =>
      Object.fromEntries(
        Object.entries(headers)
          .filter(([name]) => PERMITTED_HEADERS.test(name))
          .map(([name, text]) => [name, /signature/i.test(name) ? "redacted" : text.replace(UUID, idFor)]),
      ),
  };
}

/** Queries may hold search texts and tokens. */
function pathOf(address: string): string {
  return address.replace(/\?.*$/s, "?…");
}
