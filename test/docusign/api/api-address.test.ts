import assert from "node:assert/strict";
import { test } from "node:test";
import { createApiAddressCheck } from "../../../src/docusign/api/api-address.ts";

const REMOTE = "https://account.docusign.com";
const LOCAL = "http://127.0.0.1:8080";

function isAllowed(baseUri: string, { production = true, oauthUrl = REMOTE } = {}): boolean {
  const docusign = { oauthUrl, apiHosts: ["docusign.net", "docusign.com"] };
  return createApiAddressCheck({ production, docusign })(baseUri);
}

for (const address of [
  "https://jp1.docusign.net",
  "https://docusign.com",
  "https://EU.docusign.net:8443/site/",
]) {
  test(`production allows ${address}`, () => {
    assert.equal(isAllowed(address), true);
  });
}

const FOREIGN = [
  "http://jp1.docusign.net",
  "https://evil.example",
  "https://evildocusign.net",
  "https://docusign.net.evil.example",
  "https://jp1.docusign.net@evil.example",
  "https://somebody@jp1.docusign.net",
  "https://evil.example/docusign.net",
  "https://evil.example#.docusign.net",
  "https://evil.example\\@jp1.docusign.net",
  "https://jp1.docusign.net\t",
  "https:jp1.docusign.net",
  "https://jp1.docusign.net.",
  "ftp://jp1.docusign.net",
  "https://10.0.0.1",
  "jp1.docusign.net",
  "",
];

for (const address of FOREIGN) {
  test(`production rejects ${JSON.stringify(address)}, other environments accept it`, () => {
    assert.equal(isAllowed(address), false);
    assert.equal(isAllowed(address, { production: false }), true);
  });
}

for (const address of ["http://localhost:3001", "http://127.0.0.1:3001", "https://[::1]"]) {
  test(`production allows ${address} only if the account server is on loopback too`, () => {
    assert.equal(isAllowed(address), false);
    assert.equal(isAllowed(address, { oauthUrl: LOCAL }), true);
  });
}

test("an account server on loopback allows no other foreign address", () => {
  assert.equal(isAllowed("https://evil.example", { oauthUrl: LOCAL }), false);
});
