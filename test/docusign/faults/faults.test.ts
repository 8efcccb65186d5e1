import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { type Answer, faultOfAnswer, faultOfSilence } from "../../../src/docusign/faults/answer-faults.ts";
import { DocuSignFault } from "../../../src/docusign/faults/faults.ts";

const NOW = new Date("2026-04-01T00:10:00.250Z");
const RESET = { "x-ratelimit-reset": "1775005200" };

type Case = readonly [what: string, answer: Partial<Omit<Answer, "headers">>, kind: string, code: string];

function answer(status: number, errorCode: string | null): Partial<Answer> {
  return { status, body: errorCode === null ? "" : { errorCode, message: "taro@example.jp may not" } };
}

const CASES: readonly Case[] = [
  ["an internal error", answer(500, null), "later", "http-500"],
  ["an internal error with a code", answer(500, "UNSPECIFIED_ERROR"), "later", "UNSPECIFIED_ERROR"],
  ["an overloaded server", answer(503, null), "later", "http-503"],
  ["a call cut off by traffic management", answer(444, null), "later", "http-444"],
  ["a request that took too long", answer(408, null), "later", "http-408"],
  [
    "an HTML page instead of an error",
    { status: 400, body: "<html><body>Blocked</body></html>" },
    "later",
    "html",
  ],
  ["an HTML page with a BOM", { status: 404, body: "\uFEFF<!DOCTYPE html>" }, "later", "html"],
  [
    "an expired token",
    answer(401, "AUTHORIZATION_INVALID_TOKEN"),
    "authorization-gone",
    "AUTHORIZATION_INVALID_TOKEN",
  ],
  [
    "a closed user",
    answer(401, "USER_AUTHENTICATION_FAILED"),
    "authorization-gone",
    "USER_AUTHENTICATION_FAILED",
  ],
  ["a 401 without a code", answer(401, null), "authorization-gone", "http-401"],
  ["a 401 with a new code", answer(401, "SOMETHING_NEW"), "authorization-gone", "SOMETHING_NEW"],
  [
    "a 401 about permissions",
    answer(401, "USER_LACKS_PERMISSIONS"),
    "not-permitted",
    "USER_LACKS_PERMISSIONS",
  ],
  [
    "a revoked grant",
    { status: 400, body: { error: "invalid_grant", error_description: "expired_client_token" } },
    "authorization-gone",
    "invalid_grant",
  ],
  ["a wrong secret", { status: 401, body: { error: "invalid_client" } }, "never", "invalid_client"],
  [
    "a user who is not an administrator",
    answer(400, "USER_NOT_ACCOUNT_ADMIN"),
    "not-permitted",
    "USER_NOT_ACCOUNT_ADMIN",
  ],
  [
    "a plan without the feature",
    answer(400, "PLAN_ITEM_NOT_ENABLED"),
    "not-permitted",
    "PLAN_ITEM_NOT_ENABLED",
  ],
  [
    "an account without the feature",
    answer(403, "Account_Lacks_Permissions"),
    "not-permitted",
    "Account_Lacks_Permissions",
  ],
  ["a 403 without a code", answer(403, null), "not-permitted", "http-403"],
  ["no such envelope", answer(400, "ENVELOPE_DOES_NOT_EXIST"), "not-found", "ENVELOPE_DOES_NOT_EXIST"],
  ["no such envelope, in lower case", answer(404, "envelope_not_found"), "not-found", "envelope_not_found"],
  ["a 404 without a code", answer(404, null), "not-found", "http-404"],
  [
    "another account's envelope",
    answer(400, "ACCOUNT_NOT_AUTHORIZED_FOR_ENVELOPE"),
    "not-found",
    "ACCOUNT_NOT_AUTHORIZED_FOR_ENVELOPE",
  ],
  [
    "another user's envelope",
    answer(401, "USER_NOT_ENVELOPE_SENDER_OR_RECIPIENT"),
    "not-found",
    "USER_NOT_ENVELOPE_SENDER_OR_RECIPIENT",
  ],
  ["a wrong parameter", answer(400, "INVALID_REQUEST_PARAMETER"), "never", "INVALID_REQUEST_PARAMETER"],
  ["a 400 without a code", answer(400, null), "never", "http-400"],
  ["an invalid code", answer(400, "taro@example.jp"), "never", "http-400"],
  [
    "a code inside details",
    { status: 400, body: { errorDetails: { errorCode: "ENVELOPE_DOES_NOT_EXIST" } } },
    "not-found",
    "ENVELOPE_DOES_NOT_EXIST",
  ],
  [
    "JSON as text",
    { status: 400, body: '{"errorCode":"USER_NOT_ACCOUNT_ADMIN"}' },
    "not-permitted",
    "USER_NOT_ACCOUNT_ADMIN",
  ],
  [
    "JSON as bytes",
    { status: 400, body: Buffer.from('{"errorCode":"USER_NOT_ACCOUNT_ADMIN"}') },
    "not-permitted",
    "USER_NOT_ACCOUNT_ADMIN",
  ],
];

for (const [what, { status = 0, body }, kind, code] of CASES) {
  test(`${what} (${status}) is ${kind}`, () => {
    const fault = faultOfAnswer({ status, body, headers: new Headers() }, NOW);

    assert.deepEqual([fault.kind, fault.code, fault.httpStatus, fault.retryAt], [kind, code, status, null]);
    assert.ok(!fault.message.includes("@"));
  });
}

type ThrottlingCase = readonly [
  status: number,
  code: string | null,
  headers: Record<string, string>,
  retryAt: string,
  now?: Date,
];

const BEFORE_RESET = new Date("2026-04-01T00:59:59.700Z");

const THROTTLING: readonly ThrottlingCase[] = [
  [400, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", RESET, "2026-04-01T01:00:00.000Z"],
  [429, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", { ...RESET, "retry-after": "5" }, "2026-04-01T01:00:00.000Z"],
  [
    429,
    "hourly_apiinvocation_limit_exceeded",
    { "x-ratelimit-reset": "1775002201" },
    "2026-04-01T00:10:01.000Z",
  ],
  [400, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", RESET, "2026-04-01T01:00:00.200Z", BEFORE_RESET],
  [429, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", { "retry-after": "90" }, "2026-04-01T00:11:30.250Z"],
  [400, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", {}, "2026-04-01T01:00:00.000Z"],
  [400, "BURST_APIINVOCATION_LIMIT_EXCEEDED", RESET, "2026-04-01T00:10:30.250Z"],
  [429, "BURST_APIINVOCATION_LIMIT_EXCEEDED", { "retry-after": "7" }, "2026-04-01T00:10:07.250Z"],
  [400, "Hourly_Envelope_Polling_Limit_Exceeded", RESET, "2026-04-01T00:25:00.250Z"],
  [400, "Burst_Envelope_Polling_Limit_Exceeded", {}, "2026-04-01T00:25:00.250Z"],
  [400, "API_REQUEST_IS_THROTTLED", {}, "2026-04-01T00:25:00.250Z"],
  [429, null, {}, "2026-04-01T00:10:30.250Z"],
  [429, null, { ...RESET, "x-ratelimit-remaining": "0" }, "2026-04-01T01:00:00.000Z"],
  [429, null, { ...RESET, "x-ratelimit-remaining": "12" }, "2026-04-01T00:10:30.250Z"],
  [429, "<html>", { "retry-after": "Wed, 01 Apr 2026 00:20:00 GMT" }, "2026-04-01T00:20:00.000Z"],
  [429, null, { "retry-after": "soon 5" }, "2026-04-01T00:10:30.250Z"],
  [429, null, { "x-ratelimit-reset": RESET["x-ratelimit-reset"] }, "2026-04-01T01:00:00.000Z"],
  [
    429,
    null,
    { "x-ratelimit-reset": RESET["x-ratelimit-reset"], "retry-after": "5" },
    "2026-04-01T00:10:05.250Z",
  ],
  [
    429,
    null,
    { "x-ratelimit-reset": "1775001000", "x-ratelimit-remaining": "0" },
    "2026-04-01T00:10:30.250Z",
  ],
  [429, null, { "retry-after": "0" }, "2026-04-01T00:10:30.250Z"],
  // No limit of DocuSign lasts longer than a day, so later times are ignored.
  [429, null, { "retry-after": "9999999" }, "2026-04-01T00:10:30.250Z"],
  [429, null, { "retry-after": "Wed, 01 Apr 2099 00:00:00 GMT" }, "2026-04-01T00:10:30.250Z"],
  [429, null, { "retry-after": "86400" }, "2026-04-02T00:10:00.250Z"],
  [
    429,
    "HOURLY_APIINVOCATION_LIMIT_EXCEEDED",
    { "x-ratelimit-reset": "4070908800" },
    "2026-04-01T01:00:00.000Z",
  ],
];

for (const [status, code, headers, retryAt, now = NOW] of THROTTLING) {
  test(`${status} ${code} with ${JSON.stringify(headers)} waits until ${retryAt}`, () => {
    const body = code === "<html>" ? code : { errorCode: code };

    const fault = faultOfAnswer({ status, body, headers: new Headers(headers) }, now);

    assert.deepEqual([fault.kind, fault.retryAt?.toISOString()], ["throttled", retryAt]);
  });
}

test("an unanswered call is a transient fault, and its message contains nothing of the request", () => {
  const timeout = Object.assign(new Error("timeout of 1 ms, Bearer abc"), { code: "ECONNABORTED" });
  const network = new TypeError("fetch failed", {
    cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
  });

  const faults = [timeout, new DOMException("slow", "TimeoutError"), network, "thrown text"].map(
    faultOfSilence,
  );

  assert.deepEqual(
    faults.map(({ kind, code }) => `${kind} ${code}`),
    ["later timeout", "later timeout", "later network", "later network"],
  );
  assert.ok(!inspect(faults, { depth: 5 }).includes("Bearer"));
});

test("a fault is returned unchanged", () => {
  const fault = new DocuSignFault("never", "not-a-pdf");

  assert.equal(faultOfSilence(fault), fault);
});
