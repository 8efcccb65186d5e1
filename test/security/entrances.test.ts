import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { sign } from "../support/connect.ts";
import { missingPrograms } from "../support/trials/ingress.ts";
import { EVERY_SCOPE, HMAC_KEYS } from "../support/world.ts";
import { fuzz, judgeProgram, openTarget, type Target } from "./fuzzing.ts";
import { dribble } from "./slow.ts";
import { sendBytes, toBytes, type WireAnswer, type WireRequest } from "./wire.ts";

const INPUTS = 3_000;
const SEED = 20_310_115;
/** A leak of 30 KB an input would show. */
const MOST_GROWTH_MB = 100;

/** Longer than `serve` waits for headers, and for its next look at who is late. */
const PATIENCE_MS = 20_000;

const missing = missingPrograms();

describe("a `serve` as it is deployed", {
  concurrency: true,
  skip: missing.length > 0 && `no ${missing.join()}`,
}, () => {
  let target: Target;
  before(async () => {
    target = await openTarget();
  });
  after(async () => {
    const problems = judgeProgram(target.program);
    await target[Symbol.asyncDispose]();
    assert.deepEqual(problems, []);
  });

  test(`${INPUTS} mutated inputs meet no fault, and leave nothing in memory`, async () => {
    const report = await fuzz(target, { inputs: INPUTS, seed: SEED });

    assert.deepEqual(report.problems, []);
    assert.equal(report.inputs, INPUTS);
    const { early, late } = report.memory;
    assert.ok(late - early < MOST_GROWTH_MB, `memory grew from ${early} to ${late} MB`);
    for (const expected of [
      "signed JSON 200",
      "signed XML 200",
      "unsigned 401",
      "API 200",
      "API 400",
      "signed in 200",
      "HTTP 431",
    ])
      assert.ok(report.answers.has(expected), `no input was answered with ${expected}`);
  });

  test("a hundred senders who never finish their headers are cut off, and nobody waits for them", async () => {
    const slow = dribble(target.program.port, 100, "POST /connect/x HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    await pause(1_000);

    const answer = await request({ target: "/healthz" });

    assert.equal(answer.status, 200);
    assert.equal(slow.open(), 100);
    const deadline = performance.now() + PATIENCE_MS;
    while (slow.open() > 0 && performance.now() < deadline) await pause(100);
    slow.hangUp();
    assert.deepEqual(new Set(slow.answers), new Set([408]));
  });

  for (const [name, wish, status] of [
    ["headers of 20 KB", { headers: [["X-Long", "x".repeat(20_000)]] }, 431],
    ["an address of 20 KB", { target: `/v1/contracts?${"x".repeat(20_000)}` }, 431],
    [
      "a compressed body",
      { method: "POST", headers: [["Content-Encoding", "gzip"]], body: Buffer.from("x") },
      415,
    ],
  ] satisfies [string, Partial<WireRequest>, number][]) {
    test(`${name} is answered with ${status}`, async () => {
      const answer = await request({ target: `/connect/${target.material.linkId}`, ...wish });

      assert.equal(answer.status, status);
    });
  }

  test("a body of the API over 16 KB is answered with 413", async () => {
    const body = Buffer.from(JSON.stringify({ name: "x".repeat(17_000) }));

    const answer = await api("PUT", "/v1/groups/large", target.material.writers[0] ?? "", body);

    assert.equal(answer.status, 413);
  });

  const OUTSIDE = [
    "../../../../etc/passwd",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "..%5c..%5cx",
    "%2e%2e/%2e%2e/x",
    "x%00",
  ];
  for (const path of OUTSIDE.flatMap((way) => [
    `/v1/contracts/${way}`,
    `/v1/contracts/${way}/document`,
    `/v1/groups/${way}`,
    `/links/assets/${way}`,
    `/connect/${way}`,
  ])) {
    test(`${path} leads nowhere`, async () => {
      const answers = [
        await api("GET", path, target.material.readers[0] ?? ""),
        await api("PUT", path, target.material.writers[0] ?? "", Buffer.from('{"name":"x"}')),
      ];

      for (const { status, text } of answers) {
        assert.ok(status !== null && status >= 400 && status < 500, `${status}`);
        assert.doesNotMatch(text, /root:|torikomi":/);
      }
    });
  }

  test("documents lie under names of our own", async () => {
    const { dataDir } = target.ground;

    const names = await readdir(dataDir, { recursive: true, withFileTypes: true });

    const files = names.filter((entry) => entry.isFile()).map(({ name }) => name);
    const documents = files.filter((name) => !/^check_(?:serve|work)$/.test(name));
    assert.equal(documents.length, target.material.contracts);
    for (const name of documents) assert.match(name, /^contracts_[0-9a-f-]{36}$/);
  });

  test("a token for something else opens nothing", async () => {
    const { cabinet } = target.ground;
    const usual = { tenant: "trials", scope: EVERY_SCOPE, sub: "somebody" };
    const good = await cabinet.token(usual);
    const [head = "", claims = "", signature = ""] = good.split(".");
    const embedded = Buffer.from('{"alg":"ES256","jwk":{"kty":"EC"},"jku":"http://127.0.0.1:9/"}').toString(
      "base64url",
    );
    const tokens: Record<string, string> = {
      "for the page": await cabinet.token({ ...usual, audience: "page" }),
      "by another issuer": await cabinet.token({ ...usual, issuer: "https://evil.example" }),
      "of an hour ago": await cabinet.token({ ...usual, expiresIn: -1 }),
      "for ever": await cabinet.token({ ...usual, expiresIn: null }),
      unsigned: await cabinet.token({ ...usual, forgery: "unsigned" }),
      "signed with the public key": await cabinet.token({ ...usual, forgery: "public-key-as-secret" }),
      "signed by somebody": await cabinet.token({ ...usual, forgery: "foreign-key" }),
      "with its own key": `${embedded}.${claims}.${signature}`,
      "cut short": `${head}.${claims}`,
      twice: `${good}, Bearer ${good}`,
      "the Connect key": Buffer.from(HMAC_KEYS[0] ?? "").toString("base64"),
    };

    for (const [name, token] of Object.entries(tokens))
      assert.equal((await api("GET", "/v1/link", token)).status, 401, name);
    const lacking: Record<string, string> = {
      "of no tenant": await cabinet.token({ scope: EVERY_SCOPE, sub: "somebody" }),
      "of several tenants": await cabinet.token({ ...usual, claims: { tenant: ["trials", "other"] } }),
      "with a line break for a name": await cabinet.token({ ...usual, sub: "a\r\nb" }),
    };
    for (const [name, token] of Object.entries(lacking))
      assert.equal((await api("GET", "/v1/link", token)).status, 403, name);
    assert.equal((await request({ target: `/v1/link?access_token=${good}` })).status, 401);
    assert.equal(
      (await request({ target: "/v1/link", headers: [["Cookie", `session=${good}`]] })).status,
      401,
    );
    assert.equal((await api("GET", "/v1/link", good)).status, 200);
  });

  test("a token opens its tenant's things, for what its scope says", async () => {
    const { cabinet } = target.ground;
    const contract = `/v1/contracts/${target.material.ids[0]}`;
    const token = async (tenant: string, scope: string): Promise<string> =>
      await cabinet.token({ tenant, scope });

    const statuses = {
      own: (await api("GET", contract, await token("trials", "contracts:read"))).status,
      strangers: (await api("GET", contract, await token("other", EVERY_SCOPE))).status,
      strangersDocument: (await api("GET", `${contract}/document`, await token("other", EVERY_SCOPE))).status,
      otherNoun: (await api("GET", contract, await token("trials", "links:write groups:write"))).status,
      reading: (await api("DELETE", contract, await token("trials", "contracts:read"))).status,
      spelling: (await api("GET", contract, await token("trials", "Contracts:Read contracts:* *"))).status,
    };

    assert.deepEqual(statuses, {
      own: 200,
      strangers: 404,
      strangersDocument: 404,
      otherNoun: 403,
      reading: 403,
      spelling: 403,
    });
  });

  test("nothing of a request forges a line of the log", async () => {
    const forged = `${FORGED}${randomUUID()}`;
    const encoded = encodeURIComponent(forged);
    const body = Buffer.from(JSON.stringify({ event: forged, data: { envelopeId: forged } }));
    const signature: [string, string] = ["X-DocuSign-Signature-1", sign(body, HMAC_KEYS[0] ?? "")];
    const inTwoLines = (await cabinetToken(forged)) ?? "";

    await request({ target: `/${encoded}` });
    await request({ target: `/${forged.replaceAll("\n", "").replaceAll("\r", "")}` });
    await request({ target: "/healthz", headers: [["X-Request-Id", forged.replace(/[\r\n]/g, "")]] });
    await request({ target: `/connect/${encoded}`, method: "POST", headers: [signature], body });
    await request({
      target: `/connect/${target.material.linkId}`,
      method: "POST",
      headers: [signature],
      body,
    });
    await api("GET", `/v1/envelopes/${encoded}`, target.material.readers[0] ?? "");
    await api(
      "PUT",
      `/v1/groups/${encoded}`,
      target.material.writers[0] ?? "",
      Buffer.from(`{"name":${JSON.stringify(forged)}}`),
    );
    await api("GET", "/v1/link", inTwoLines);

    const { noise, lines } = target.program;
    assert.deepEqual(noise, []);
    assert.deepEqual(
      lines.filter(({ msg, pid }) => msg === "forged" || pid !== target.program.pid),
      [],
    );
    for (const line of lines) assert.doesNotMatch(JSON.stringify(Object.values(line)), /\p{Cc}/u);
  });

  test("names from DocuSign command neither a terminal nor a browser", async () => {
    const { ground, material } = target;
    const contract = (await ground.get("/v1/contracts")).items.find((one: any) =>
      one.source.subject.includes("forged"),
    );

    const told = await ground.command(["explain", contract.source.envelopeId]);
    const answer = await api("GET", `/v1/contracts/${contract.id}/document`, material.readers[1] ?? "");

    assert.equal(told.status, 0, told.output);
    assert.doesNotMatch(told.output.replaceAll("\n", ""), /\p{Cc}/u);
    assert.match(told.output, /forged/);
    assert.equal(answer.status, 200);
    const [head = ""] = answer.text.split("\r\n\r\n");
    assert.doesNotMatch(head, /^set-cookie/im);
  });

  async function request(wish: Partial<WireRequest>): Promise<WireAnswer> {
    const usual = { method: "GET", target: "/", headers: [], body: Buffer.alloc(0) };
    return await sendBytes(target.program.port, toBytes({ ...usual, ...wish }));
  }

  async function api(
    method: string,
    path: string,
    token: string,
    body = Buffer.alloc(0),
  ): Promise<WireAnswer> {
    return await request({ method, target: path, headers: [["Authorization", `Bearer ${token}`]], body });
  }

  async function cabinetToken(name: string): Promise<string> {
    return await target.ground.cabinet.token({ tenant: name, scope: EVERY_SCOPE, sub: name });
  }
});

const FORGED = '\r\n{"level":30,"pid":1,"msg":"forged"}\r\n\u001b[2J\u001b[31m';
