import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { isSignedByAny, signatureHeaders } from "../../../src/docusign/connect/signature.ts";

const KEY = "Zm9yIHRlc3RzIG9ubHksIG5vdCBhIHJlYWwga2V5IQ==";
const BODY = Buffer.from('{"event":"envelope-completed","subject":"契約"}\r\n');
/** Made with `openssl dgst -sha256 -hmac KEY -binary | base64` over the very bytes. */
const SIGNATURE = "2iB9ubjZa7690D53ps9ylu4IRk0k7D12SR6Rt6DsO3A=";

function sign(key: string | Buffer, body: Uint8Array): string {
  return createHmac("sha256", key).update(body).digest("base64");
}

test("the signature that OpenSSL makes over the body is right", () => {
  assert.equal(isSignedByAny([KEY], BODY, [SIGNATURE]), true);
});

test("any signature under any key will do", () => {
  const others = [sign("another key", BODY), sign("a third", BODY)];

  assert.equal(isSignedByAny(["old", KEY], BODY, [...others, SIGNATURE]), true);
  assert.equal(isSignedByAny(["old", "new"], BODY, [...others, SIGNATURE]), false);
});

test("the key is used as shown, not decoded", () => {
  assert.equal(isSignedByAny([KEY], BODY, [sign(Buffer.from(KEY, "base64"), BODY)]), false);
});

test("a byte more or less in the body is another body", () => {
  assert.equal(isSignedByAny([KEY], BODY.subarray(0, -1), [SIGNATURE]), false);
  assert.equal(isSignedByAny([KEY], Buffer.concat([BODY, Buffer.from("\n")]), [SIGNATURE]), false);
});

test("an empty key, no key and no signature prove nothing", () => {
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
  "of the URL alphabet": "-_".repeat(21) + "A=",
  "of another alphabet": `${"é".repeat(43)}=`,
  "written in a way that is not canonical": `${SIGNATURE.slice(0, 42)}${nextDigit(SIGNATURE.charAt(42))}=`,
  hexadecimal: Buffer.from(SIGNATURE, "base64").toString("hex"),
};

function nextDigit(digit: string): string {
  return String.fromCharCode(digit.charCodeAt(0) + 1);
}

for (const [what, signature] of Object.entries(MALFORMED)) {
  test(`a signature that is ${what} is none`, () => {
    assert.equal(isSignedByAny([KEY], BODY, [signature]), false);
  });
}

test("signatures are read from every numbered header, whatever the number", () => {
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

test("no more than a hundred signatures are looked at", () => {
  const headers = Object.fromEntries(
    Array.from({ length: 500 }, (_, n) => [`x-docusign-signature-${n + 1}`, "a"]),
  );

  assert.equal(signatureHeaders(headers).length, 100);
});
