import assert from "node:assert/strict";
import { inspect } from "node:util";
import { type DocuSignAccount, openDocuSignAccount } from "../../../src/docusign/api/account.ts";
import type { DocuSignAccountOptions } from "../../../src/docusign/api/calls.ts";
import { DocuSignFault } from "../../../src/docusign/faults/faults.ts";
import type { AccountId, EnvelopeId, UserId } from "../../../src/domain/identifiers.ts";
import { parseUuid } from "../../../src/domain/identifiers.ts";

export const NOW = new Date("2026-04-01T00:10:00Z");

const ACCOUNT = uuid<AccountId>("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa");

export const USER = uuid<UserId>("11111111-1111-4111-8111-111111111111");

export const ROOT = `/restapi/v2.1/accounts/${ACCOUNT}`;

export function uuid<Id extends AccountId | EnvelopeId | UserId>(text: string): Id {
  const id = parseUuid<Id>(text);
  assert.ok(id !== null);
  return id;
}

export function open(baseUri: string, options: Partial<DocuSignAccountOptions> = {}): DocuSignAccount {
  const accessToken = async (stale?: string): Promise<string> =>
    stale === undefined ? "token-1" : "token-2";
  return openDocuSignAccount({ baseUri, accountId: ACCOUNT, accessToken, now: () => NOW, ...options });
}

export function isFault(kind: string, code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof DocuSignFault, inspect(error));
    assert.deepEqual([error.kind, error.code], [kind, code]);
    assert.doesNotMatch(inspect(error, { depth: 10 }), /token-\d|@example/);
    return true;
  };
}
