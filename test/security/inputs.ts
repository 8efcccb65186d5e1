import { randomUUID } from "node:crypto";
import { exampleBody, exampleParameters, operations } from "../api/described.ts";
import { minimalEvent, sign } from "../support/connect.ts";
import { aggregateMessage, simMessage } from "../support/docusign/connect-message.ts";
import type { DocuSignSimulator } from "../support/docusign/simulator.ts";
import { xmlMessage } from "../support/docusign/xml-message.ts";
import { HMAC_KEYS } from "../support/world.ts";
import type { Chance } from "./chance.ts";
import { mutateBytes, mutateJson, NASTY } from "./mutate.ts";
import type { WireRequest } from "./wire.ts";

/** Valid starting material: real messages, ids and tokens. */
export type Material = {
  readonly linkId: string;
  readonly messages: { readonly json: readonly Buffer[]; readonly xml: readonly Buffer[] };
  /** Tokens: of the linked tenant to read, of others to change. */
  readonly readers: readonly string[];
  readonly writers: readonly string[];
  readonly ids: readonly string[];
  /** People signed in at the page: one who may look at the link, and one who may change, elsewhere. */
  readonly visitors: readonly Visitor[];
  /** How many contracts there are. */
  readonly contracts: number;
};

export type Visitor = { readonly cookie: string; readonly csrf: string; readonly origin: string };

export type Input = WireRequest & {
  readonly family: Family;
  /** True if HTTP itself was tampered with, so that hanging up is an answer as well. */
  readonly isBroken: boolean;
};

const FAMILIES = ["signed JSON", "signed XML", "unsigned", "API", "page", "signed in", "HTTP"] as const;
export type Family = (typeof FAMILIES)[number];

/** Messages of every format about the simulator's envelopes. */
export function collectMessages({ state }: DocuSignSimulator): Material["messages"] {
  const envelopes = [...state.envelopes.values()];
  const includeData = ["recipients", "documents"];
  return {
    json: [
      Buffer.from(minimalEvent()),
      ...envelopes.flatMap((envelope) => [
        simMessage(state, envelope, { includeData }),
        simMessage(state, envelope, { event: "recipient-reassign", includeData, recipientId: "1" }),
        simMessage(state, envelope, { event: "recipient-delegate", includeData, recipientId: "1" }),
        aggregateMessage(state, envelope, { includeData }),
      ]),
    ],
    xml: envelopes.flatMap((envelope) => [
      xmlMessage(state, envelope),
      xmlMessage(state, envelope, { documents: true }),
    ]),
  };
}

/** The next input of the stream that the chance's seed begins. */
export function nextInput(material: Material, chance: Chance): Input {
  const family = chance.pick(FAMILIES);
  switch (family) {
    case "signed JSON":
      return { ...signed(material, jsonBody(material, chance), "application/json"), family, isBroken: false };
    case "signed XML":
      return { ...signed(material, xmlBody(material, chance), "text/xml"), family, isBroken: false };
    case "unsigned":
      return { ...unsigned(material, chance), family, isBroken: false };
    case "API":
      return { ...apiRequest(material, chance), family, isBroken: false };
    case "page":
      return { ...pageRequest(material, chance), family, isBroken: false };
    case "signed in":
      return { ...visitorsRequest(material, chance), family, isBroken: false };
    case "HTTP":
      return { ...brokenRequest(material, chance), family, isBroken: true };
  }
}

function signed({ linkId }: Material, body: Buffer, type: string): WireRequest {
  const signature = sign(body, HMAC_KEYS[0] ?? "");
  return {
    method: "POST",
    target: `/connect/${linkId}`,
    headers: [
      ["Content-Type", type],
      ["X-DocuSign-Signature-1", signature],
    ],
    body,
  };
}

function jsonBody({ messages }: Material, chance: Chance): Buffer {
  const message = chance.pick(messages.json);
  if (chance.once(3)) return mutateBytes(message, chance);
  return Buffer.from(JSON.stringify(mutateJson(JSON.parse(message.toString()), chance)) ?? "");
}

const XML_TRICKS: readonly string[] = [
  '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]><x>&c;</x>',
  '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
  '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/">%p;]><x/>',
  `${"<a>".repeat(3_000)}${"</a>".repeat(3_000)}`,
  `<a ${"b='c' ".repeat(3_000)}/>`,
  "<__proto__><polluted>1</polluted></__proto__>",
  `<a>${"&#x41;".repeat(3_000)}</a>`,
  `<!--${"-".repeat(3_000)}`,
  `<![CDATA[${"]]".repeat(3_000)}`,
  "<?xml version='1.0' encoding='utf-16'?><a/>",
];

function xmlBody({ messages }: Material, chance: Chance): Buffer {
  if (chance.once(6)) return Buffer.from(chance.pick(XML_TRICKS));
  const message = chance.pick(messages.xml);
  if (chance.once(2)) return mutateBytes(message, chance);
  // A text of one element replaced: well-formed, or nearly so.
  const texts = [...message.toString().matchAll(/>([^<>]+)</g)];
  const text = chance.pick(texts);
  const at = (text.index ?? 0) + 1;
  const put = chance.once(4) ? chance.pick(XML_TRICKS) : chance.pick(NASTY);
  const xml = message.toString();
  return Buffer.from(xml.slice(0, at) + put + xml.slice(at + (text[1]?.length ?? 0)));
}

function unsigned(material: Material, chance: Chance): WireRequest {
  const body = chance.once(2) ? jsonBody(material, chance) : xmlBody(material, chance);
  const request = signed(material, body, "application/json");
  const signature = chance.pick([...NASTY, sign(body, "another key"), sign("", HMAC_KEYS[0] ?? "")]);
  return {
    ...request,
    target: `/connect/${chance.once(4) ? encodeURIComponent(wellFormed(chance.pick(NASTY))) : material.linkId}`,
    headers: [["X-DocuSign-Signature-1", headerText(signature)]],
  };
}

function apiRequest(material: Material, chance: Chance): WireRequest {
  const operation = chance.pick(operations);
  const { method, path } = operation;
  const params = exampleParameters(operation, "path");
  const filled = path.replace(/\{(\w+)\}/g, (_all, name: string) =>
    chance.once(3)
      ? encodeURIComponent(wellFormed(chance.pick([...NASTY, ...material.ids])))
      : chance.pick([...material.ids, params[name] ?? ""]),
  );
  const query = new URLSearchParams(
    Object.entries(exampleParameters(operation, "query")).filter(() => chance.once(2)),
  );
  for (let more = chance.below(3); more > 0; more -= 1) {
    const name = chance.pick(["limit", "cursor", "after", "group", "concludedFrom", "concludedTo", "x"]);
    query.append(name, wellFormed(chance.pick([...NASTY, "1", "200", "2031-01-15"])));
  }
  query.delete("wait");
  if (chance.once(5)) query.append("wait", chance.pick(["0", "1", "-1", "31", "1e9", "x"]));
  const example = exampleBody(operation);
  const body = example === undefined ? null : mutateJson(example, chance);
  const token = chance.pick(method === "GET" ? material.readers : material.writers);
  const spoiled = chance.once(8) ? spoilToken(token, chance) : `Bearer ${token}`;
  return {
    method: chance.once(20) ? chance.pick(["HEAD", "OPTIONS", "PROPFIND", "PUT"]) : method,
    target: query.size > 0 ? `${filled}?${query.toString()}` : filled,
    headers: [["Authorization", spoiled], ...oddHeaders(chance)],
    body: bodyBytes(body, chance),
  };
}

function bodyBytes(body: unknown, chance: Chance): Buffer {
  const bytes = body === null ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body) ?? "");
  return chance.once(5) ? mutateBytes(bytes, chance) : bytes;
}

function spoilToken(token: string, chance: Chance): string {
  const [head = "", claims = "", signature = ""] = token.split(".");
  return headerText(
    chance.pick([
      "",
      "Bearer",
      `Bearer ${head}.${claims}.`,
      `Bearer ${head}..${signature}`,
      `Bearer ${mutateBytes(Buffer.from(token), chance).toString("latin1")}`,
      `Basic ${token}`,
      `bearer  ${token} x`,
      `Bearer ${Buffer.from('{"alg":"none"}').toString("base64url")}.${claims}.`,
      `Bearer ${Buffer.from('{"alg":"ES256","kid":"../../x","jku":"http://127.0.0.1:9/"}').toString("base64url")}.${claims}.${signature}`,
    ]),
  );
}

function oddHeaders(chance: Chance): [string, string][] {
  if (!chance.once(3)) return [];
  const name = chance.pick([
    "Range",
    "If-None-Match",
    "If-Range",
    "Accept",
    "Accept-Language",
    "Accept-Encoding",
    "Content-Type",
    "Content-Encoding",
    "X-Request-Id",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-HTTP-Method-Override",
    "Cookie",
    "Origin",
  ]);
  const values = [
    "bytes=0-0",
    "bytes=-0",
    "bytes=5-1",
    "bytes=0-99999999999999999999",
    "bytes=0-1,3-4",
    "*",
    "gzip",
  ];
  return [[name, headerText(chance.pick([...NASTY, ...values]))]];
}

const PAGES = [
  "/",
  "/links",
  "/links/progress",
  "/links/delete",
  "/links/edit",
  "/links/approve",
  "/sign-in",
];
const LANDINGS = [
  "/links/docusign/callback",
  "/sign-in/callback",
  "/sign-out",
  "/links/assets/",
  "/openapi.json",
];

function pageRequest(material: Material, chance: Chance): WireRequest {
  const query = new URLSearchParams();
  for (let more = chance.below(4); more > 0; more -= 1) {
    const name = chance.pick(["state", "code", "error", "return_to", "result", "envelope", "limit", "csrf"]);
    query.append(
      name,
      wellFormed(chance.pick([...NASTY, ...material.ids, "//evil.example", "https://evil.example"])),
    );
  }
  const target = chance.pick([...PAGES, ...LANDINGS]);
  const isPost = chance.once(3);
  const tail = chance.once(4) ? `/${encodeURIComponent(wellFormed(chance.pick(NASTY)))}` : "";
  return {
    method: isPost ? "POST" : "GET",
    target: isPost ? `${target}${tail}` : `${target}${tail}?${query.toString()}`,
    headers: [
      ...oddHeaders(chance),
      ["Cookie", `__Host-session=${headerText(chance.pick(NASTY)).replaceAll(";", "")}; session=x`],
      ["Content-Type", "application/x-www-form-urlencoded"],
    ],
    body: isPost ? Buffer.from(query.toString()) : Buffer.alloc(0),
  };
}

const FIELDS = ["group", "service", "link", "edit", "envelope", "result"];
const CHOICES = ["group-1", "docusign", "on", "linked"];

/** As forms and links of the page send it, its fields tampered with, and now and then its proof as well. */
function visitorsRequest(material: Material, chance: Chance): WireRequest {
  const { cookie, csrf, origin } = chance.pick(material.visitors);
  const fields = new URLSearchParams({ csrf: chance.once(10) ? wellFormed(chance.pick(NASTY)) : csrf });
  for (const name of FIELDS.filter(() => chance.once(2)))
    fields.append(name, wellFormed(chance.pick([...NASTY, ...material.ids, ...CHOICES])));
  const target = chance.pick(PAGES);
  const isPost = chance.once(2);
  const form = Buffer.from(fields.toString());
  const body = chance.once(5) ? mutateBytes(form, chance) : form;
  return {
    method: isPost ? "POST" : "GET",
    target: isPost ? target : `${target}?${fields.toString()}`,
    headers: [
      ["Cookie", cookie],
      ["Origin", origin],
      ["Content-Type", "application/x-www-form-urlencoded"],
      ...oddHeaders(chance).filter(([name]) => name !== "Cookie" && name !== "Origin"),
    ],
    body: isPost ? body : Buffer.alloc(0),
  };
}

/** Malformed or malicious HTTP. */
function brokenRequest(material: Material, chance: Chance): WireRequest {
  const request = chance.once(2)
    ? apiRequest(material, chance)
    : signed(material, jsonBody(material, chance), "a/b");
  const id = randomUUID();
  const tricks: WireRequest[] = [
    { ...request, target: chance.pick(NASTY) },
    { ...request, target: `/${chance.pick(NASTY)}` },
    { ...request, target: "//evil.example/%2e%2e/v1/link" },
    { ...request, target: "http://evil.example/v1/link" },
    { ...request, target: `/v1/contracts/${"../".repeat(20)}etc/passwd` },
    { ...request, target: `/${"a".repeat(chance.below(40_000))}` },
    { ...request, target: `/v1/contracts?${"a=b&".repeat(chance.below(3_000))}` },
    { ...request, method: chance.pick(["", "GET GET", "\0", "TRACE", "CONNECT", "get", "X".repeat(9_000)]) },
    {
      ...request,
      headers: [["Content-Length", chance.pick(["-1", "1e3", "99999999999", "0x5", "", "5, 5"])]],
    },
    {
      ...request,
      headers: [["Transfer-Encoding", chance.pick(["chunked", "gzip", "chunked, chunked", "x"])]],
    },
    {
      ...request,
      headers: [
        ["Content-Length", "3"],
        ["Transfer-Encoding", "chunked"],
      ],
    },
    { ...request, headers: [...request.headers, ["Expect", chance.pick(["100-continue", "x"])]] },
    { ...request, headers: [...request.headers, ["Upgrade", "websocket"], ["Connection", "upgrade"]] },
    { ...request, headers: [...request.headers, [`X-${id}`, chance.pick(NASTY)]] },
    {
      ...request,
      headers: Array.from({ length: chance.below(3_000) }, (_, index) => [`X-${index}`, "x"] as const),
    },
    { ...request, headers: [...request.headers, ...request.headers] },
  ];
  return chance.pick(tricks);
}

/** `encodeURIComponent` throws on unpaired surrogates. */
function wellFormed(text: string): string {
  return text.toWellFormed();
}

/** Characters that a header may contain without breaking HTTP. */
function headerText(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, "?");
}
