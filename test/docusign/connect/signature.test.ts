import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { isSignedByAny, signatureHeaders } from "../../../src/docusign/connect/signature.ts";

const KEY = "Zm9yIHRlc3RzIG9ubHksIG5vdCBhIHJlYWwga2V5IQ==";
const BODY = Buffer.from('{"event":"envelope-completed","subject":"契約"}\r\n');
/** Made with `openssl dgst -sha256 -hmac KEY -binary | base64` over the same bytes. */
const SIGNATURE = "2iB9ubjZa7690D53ps9ylu4IRk0k7D12SR6Rt6DsO3A=";

function sign(key: string | Buffer, body: Uint8Array): string {
  return createHmac("sha256", key).update(body).digest("base64");
}

test("OpenSSL's signature of the body is valid", () => {
  assert.equal(isSignedByAny([KEY], BODY, [SIGNATURE]), true);
});

test("one valid signature with one of the keys suffices", () => {
  const others = [sign("another key", BODY), sign("a third", BODY)];

  assert.equal(isSignedByAny(["old", KEY], BODY, [...others, SIGNATURE]), true);
  assert.equal(isSignedByAny(["old", "new"], BODY, [...others, SIGNATURE]), false);
});

test("the key is used as text, not base64-decoded", () => {
  assert.equal(isSignedByAny([KEY], BODY, [sign(Buffer.from(KEY, "base64"), BODY)]), false);
});

test("a signature does not match a body that is a byte longer or shorter", () => {
  assert.equal(isSignedByAny([KEY], BODY.subarray(0, -1), [SIGNATURE]), false);
  assert.equal(isSignedByAny([KEY], Buffer.concat([BODY, Buffer.from("\n")]), [SIGNATURE]), false);
});

test("with an empty key, no keys or no signatures nothing is valid", () => {
  assert.equal(isSignedByAny([""], BODY, [sign("", BODY)]), false);
  assert.equal(isSignedByAny([], BODY, [SIGNATURE]), false);
  assert.equal(isSignedByAny([KEY], BODY, []), false);
});

const MALFORMED: Readonly<Record<string, string>> = {
  empty: "",
  short: SIGNATURE.slice(4),
  long: `AAAA${SIGNATURE}`,
  "without padding": SIGNATURE.slice(0, -1),
  "with more padding": `${SIGNATURE}=`,
  "with a space": `${SIGNATURE} `,
  "in the URL-safe alphabet": "-_".repeat(21) + "A=",
  "in another alphabet": `${"é".repeat(43)}=`,
  "not canonical base64": `${SIGNATURE.slice(0, 42)}${nextDigit(SIGNATURE.charAt(42))}=`,
  hexadecimal: Buffer.from(SIGNATURE, "base64").toString("hex"),
};

function nextDigit(digit: string): string {
  return String.fromCharCode(digit.charCodeAt(0) + 1);
}

for (const [what, signature] of Object.entries(MALFORMED)) {
  test(`a signature that is ${what} is invalid`, () => {
    assert.equal(isSignedByAny([KEY], BODY, [signature]), false);
  });
}

test("signatures are read from every numbered header", () => {
  const headers = {
    "x-docusign-signature-1": "a",
    "x-docusign-signature-27": "b",
    "x-docusign-signature-3": "c, d",
    "x-docusign-signature-0": "no",
    "x-docusign-signature-": "no",
    "x-docusign-signature-x": "no",
    "x-docusign-accountid": "no",
  };

  assert.deepEqual(signatureHeaders(headers), ["a", "b", "c", "d"]);
  assert.deepEqual(signatureHeaders({ "X-DocuSign-Signature-2": ["e", "f"] }), ["e", "f"]);
});

test("at most a hundred signatures are checked", () => {
  const headers = Object.fromEntries(
    Array.from({ length: 500 }, (_, n) => [`x-docusign-signature-${n + 1}`, "a"]),
  );

  assert.equal(signatureHeaders(headers).length, 100);
});
