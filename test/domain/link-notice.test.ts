import assert from "node:assert/strict";
import { test } from "node:test";
import { decideNotice, type NoticeFacts } from "../../src/domain/link-notice.ts";

const STORE = new Date("2031-01-15T01:00:00Z");
const CALLS = new Date("2031-01-15T02:00:00Z");
const LINK = new Date("2031-01-15T03:00:00Z");
const NOTHING: NoticeFacts = {
  isActive: true,
  storeRefusesSince: null,
  throttledSince: null,
  slowSince: null,
  connectOffSince: null,
  recorded: null,
};
const SLOW = { code: "docusign-slow", since: LINK } as const;
const DOWN = { code: "docusign-unavailable", since: LINK } as const;

const CASES: readonly (readonly [string, Partial<NoticeFacts>, string | null])[] = [
  ["nothing", {}, null],
  ["the document store", { storeRefusesSince: STORE }, `document-store-unavailable ${STORE.toISOString()}`],
  ["the account's limit", { throttledSince: CALLS }, `account-throttled ${CALLS.toISOString()}`],
  ["what was recorded", { recorded: SLOW }, `docusign-slow ${LINK.toISOString()}`],
  ["slow listings", { slowSince: CALLS }, `docusign-slow ${CALLS.toISOString()}`],
  ["a configuration that is off", { connectOffSince: LINK }, `connect-switched-off ${LINK.toISOString()}`],
  [
    "slow listings before a configuration that is off",
    { slowSince: CALLS, connectOffSince: LINK },
    `docusign-slow ${CALLS.toISOString()}`,
  ],
  [
    "DocuSign's outage before slow listings",
    { slowSince: CALLS, recorded: DOWN },
    `docusign-unavailable ${LINK.toISOString()}`,
  ],
  [
    "the store before DocuSign",
    { storeRefusesSince: STORE, throttledSince: CALLS, recorded: DOWN },
    `document-store-unavailable ${STORE.toISOString()}`,
  ],
  [
    "DocuSign's outage before the limit",
    { throttledSince: CALLS, recorded: DOWN },
    `docusign-unavailable ${LINK.toISOString()}`,
  ],
  [
    "the limit before slow responses",
    { throttledSince: CALLS, recorded: SLOW },
    `account-throttled ${CALLS.toISOString()}`,
  ],
  ["nothing while the link is not active", { isActive: false, storeRefusesSince: STORE }, null],
];

for (const [name, facts, expected] of CASES) {
  test(`the notice of a link shows ${name}`, () => {
    const notice = decideNotice({ ...NOTHING, ...facts });

    assert.equal(notice && `${notice.code} ${notice.since.toISOString()}`, expected);
  });
}
