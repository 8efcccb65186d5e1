import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { sql } from "kysely";
import { type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { Refusal } from "../../src/domain/refusal.ts";
import { createEventRecorder } from "../../src/store/events/event-recorder.ts";
import { receiveEvent } from "../../src/usecases/receiving/receive-event.ts";
import { deliveryOf, minimalEvent, post, sign } from "../support/connect.ts";
import { aggregateMessage, simMessage } from "../support/docusign/connect-message.ts";
import { xmlMessage } from "../support/docusign/xml-message.ts";
import { createWorld, HMAC_KEYS, type World } from "../support/world.ts";

const [FIRST_KEY = "", SECOND_KEY = ""] = HMAC_KEYS;

type Linked = { readonly world: World; readonly linkId: string } & AsyncDisposable;

async function createLinkedWorld(options: Parameters<typeof createWorld>[0] = {}): Promise<Linked> {
  const world = await createWorld(options);
  const account = world.docusign.addAccount();
  assert.equal(
    await world.link(world.docusign.addUser(account, { name: "山田", role: "DS Admin" })),
    "linked",
  );
  await world.runJobs();
  const { body } = await (await world.api()).get("/v1/link");
  return { world, linkId: body.id, [Symbol.asyncDispose]: async () => await world[Symbol.asyncDispose]() };
}

async function countEvents(world: World): Promise<number> {
  const { db } = world.service.foundation.working;
  const row = await db
    .selectFrom("connect_event")
    .select((is) => is.fn.countAll<string>().as("count"))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

async function queuedImports(world: World): Promise<number> {
  const { rows } =
    await sql`select 1 from graphile_worker.jobs where task_identifier = 'import-envelope'`.execute(
      world.service.foundation.working.db,
    );
  return rows.length;
}

test("a signed event is recorded with its job before the 200 response", async () => {
  await using linked = await createLinkedWorld();

  const answer = await post(linked.world, linked.linkId, minimalEvent());

  assert.equal(answer.status, 200);
  assert.equal(await countEvents(linked.world), 1);
  assert.equal(await queuedImports(linked.world), 1);
  await forgetJobs(linked.world);
});

test("a repeated delivery is recognized although its retryCount, and so its bytes, differ", async () => {
  await using linked = await createLinkedWorld();
  const envelopeId = randomUUID();
  const data = { envelopeId, userId: randomUUID() };

  const first = await post(linked.world, linked.linkId, minimalEvent({}, data));
  const retry = await post(linked.world, linked.linkId, minimalEvent({ retryCount: 3 }, data));

  assert.deepEqual([first.body.result, retry.body.result], ["recorded", "repeat"]);
  assert.equal(retry.status, 200);
  assert.equal(await countEvents(linked.world), 1);
  assert.equal(await queuedImports(linked.world), 1);
  await forgetJobs(linked.world);
});

test("many simultaneous deliveries of one event are recorded once, and each is answered with 200", async () => {
  await using linked = await createLinkedWorld();
  const event = minimalEvent();

  const answers = await Promise.all(
    Array.from({ length: 30 }, async () => await post(linked.world, linked.linkId, event)),
  );

  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
  assert.equal(answers.filter((answer) => answer.body.result === "recorded").length, 1);
  assert.equal(await countEvents(linked.world), 1);
  await forgetJobs(linked.world);
});

test("every format that DocuSign sends leads to an imported contract", async () => {
  await using linked = await createLinkedWorld();
  const { world, linkId } = linked;
  const account = [...world.docusign.state.accounts.values()][0];
  const sender = world.docusign.addUser(account!, { name: "佐藤", role: "DS Sender" });
  const bodies = [
    (envelope: any) => simMessage(world.docusign.state, envelope),
    (envelope: any) => simMessage(world.docusign.state, envelope, { includeData: ["recipients"] }),
    (envelope: any) =>
      simMessage(world.docusign.state, envelope, { includeData: ["recipients", "documents"] }),
    (envelope: any) => aggregateMessage(world.docusign.state, envelope, { includeData: ["recipients"] }),
    (envelope: any) => xmlMessage(world.docusign.state, envelope),
  ];

  for (const [index, body] of bodies.entries()) {
    world.docusign.loseNext(1);
    const envelope = await world.docusign.concludeEnvelope({
      from: sender,
      to: [{ name: "乙", email: "otsu@example.com" }],
      subject: `契約 ${index}`,
    });
    assert.equal((await post(world, linkId, body(envelope))).status, 200);
    await world.runJobs();
  }

  const subjects = (await world.contracts()).map((contract) => contract.source.subject);
  assert.deepEqual(subjects.sort(), ["契約 0", "契約 1", "契約 2", "契約 3", "契約 4"]);
});

test("events other than completion are recorded, answered with 200, and import nothing", async () => {
  await using linked = await createLinkedWorld();

  const sent = await post(linked.world, linked.linkId, minimalEvent({ event: "envelope-sent" }));
  const template = await post(
    linked.world,
    linked.linkId,
    JSON.stringify({
      event: "template-created",
      configurationId: 1,
      generatedDateTime: "2031-01-15T03:00:00Z",
      data: { templateId: "t" },
    }),
  );

  assert.deepEqual([sent.status, template.status], [200, 200]);
  assert.equal(await countEvents(linked.world), 2);
  assert.equal(await queuedImports(linked.world), 0);
});

test("an event about the account alone is recorded once, however often it arrives, and answered with 200", async () => {
  await using linked = await createLinkedWorld();
  const account = {
    event: "account-something",
    configurationId: 1,
    generatedDateTime: "2031-01-15T03:00:00Z",
  };

  const answers: number[] = [];
  for (const retryCount of [0, 1, 2])
    answers.push(
      (await post(linked.world, linked.linkId, JSON.stringify({ ...account, retryCount, data: null })))
        .status,
    );
  const bare = await post(linked.world, linked.linkId, JSON.stringify({ event: "account-something" }));

  assert.deepEqual([...answers, bare.status], [200, 200, 200, 200]);
  assert.equal(await countEvents(linked.world), 2);
  assert.equal(await queuedImports(linked.world), 0);
});

test("a signature in any signature header with any current key is accepted, and nothing else", async () => {
  await using linked = await createLinkedWorld();
  const event = (): string => minimalEvent();
  const attempt = async (headers: (body: string) => Record<string, string>): Promise<number> => {
    const body = event();
    return (await post(linked.world, linked.linkId, body, { headers: headers(body) })).status;
  };

  const statuses = {
    "second key in the second header": await attempt((body) => ({
      "x-docusign-signature-1": "x",
      "X-DocuSign-Signature-2": sign(body, SECOND_KEY),
    })),
    "first key in the seventh header": await attempt((body) => ({
      "x-docusign-signature-7": sign(body, FIRST_KEY),
    })),
    "no header": await attempt(() => ({})),
    "another key": await attempt((body) => ({ "x-docusign-signature-1": sign(body, "another") })),
    "the key decoded from base64": await attempt((body) => ({
      "x-docusign-signature-1": sign(body, Buffer.from(FIRST_KEY, "base64").toString("latin1")),
    })),
    "another body": await attempt((body) => ({ "x-docusign-signature-1": sign(`${body} `, FIRST_KEY) })),
    "too short": await attempt((body) => ({ "x-docusign-signature-1": sign(body, FIRST_KEY).slice(0, 20) })),
    hexadecimal: await attempt((body) => ({
      "x-docusign-signature-1": Buffer.from(sign(body, FIRST_KEY), "base64").toString("hex"),
    })),
    "outside the alphabet": await attempt(() => ({ "x-docusign-signature-1": "*".repeat(44) })),
  };

  const proven = Object.entries(statuses).filter(([, status]) => status === 200);
  assert.deepEqual(
    proven.map(([name]) => name),
    ["second key in the second header", "first key in the seventh header"],
  );
  assert.ok(Object.values(statuses).every((status) => status === 200 || status === 401));
  await forgetJobs(linked.world);
});

test("a malformed body is rejected with 400 if signed and with 401 if unsigned", async () => {
  await using linked = await createLinkedWorld();
  const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><DocuSignEnvelopeInformation>&b;</DocuSignEnvelopeInformation>`;
  const rubbish = [
    "",
    "{}",
    "[]",
    "null",
    "12",
    "no json",
    "<a/>",
    bomb,
    deep,
    `{"event":${deep}}`,
    minimalEvent({}, { envelopeId: "no-uuid" }),
  ];

  const answers = [];
  for (const body of rubbish) answers.push(await post(linked.world, linked.linkId, body));
  const unsigned = await post(linked.world, linked.linkId, "no json", { headers: {} });

  assert.deepEqual(
    answers.map(({ status, body: { detail } }) => [status, detail]),
    rubbish.map(() => [400, "The body is neither Connect JSON nor Connect XML."]),
  );
  assert.equal(unsigned.status, 401);
  // DocuSign's failure log shows this detail to its reader.
  assert.match(unsigned.body.detail, /X-DocuSign-Signature/);
  assert.equal(await countEvents(linked.world), 0);
});

test("an unknown or ended link is answered with 410, an invalid link id with 404", async () => {
  await using linked = await createLinkedWorld();
  const { world, linkId } = linked;

  const unknown = await post(world, randomUUID(), minimalEvent());
  const unsigned = await post(world, randomUUID(), minimalEvent(), { headers: {} });
  const nonsense = await post(world, "nonsense", minimalEvent());
  assert.equal((await (await world.api()).send("DELETE", "/v1/link")).status, 204);
  const ended = await post(world, linkId, minimalEvent());

  assert.deepEqual([unknown.status, unsigned.status, nonsense.status, ended.status], [410, 401, 404, 410]);
  assert.equal(ended.body.detail, "The link does not exist or has ended.");
});

test("a body over 32 MiB is rejected with 413 and counted; a body with embedded documents is accepted", async () => {
  await using linked = await createLinkedWorld();
  const withDocuments = minimalEvent(
    {},
    { envelopeSummary: { envelopeDocuments: [{ PDFBytes: "A".repeat(30 * 1024 * 1024) }] } },
  );

  const taken = await post(linked.world, linked.linkId, withDocuments);
  const huge = await post(linked.world, linked.linkId, Buffer.alloc(40 * 1024 * 1024, "A"));

  assert.deepEqual([taken.status, huge.status], [200, 413]);
  const metrics = await (await fetch(`${linked.world.url}/metrics`)).text();
  assert.match(metrics, /^torikomi_events_total\{outcome="too-large"\} 1$/m);
  assert.match(metrics, /^torikomi_events_total\{outcome="recorded"\} 1$/m);
  await forgetJobs(linked.world);
});

test("the contents of documents are not stored", async () => {
  await using linked = await createLinkedWorld();
  const { working } = linked.world.service.foundation;
  const event = (PDFBytes: string): string =>
    minimalEvent(
      { event: "envelope-sent" },
      { ...DATA, envelopeSummary: { envelopeDocuments: [{ PDFBytes }] } },
    );

  assert.equal((await post(linked.world, linked.linkId, event("JVBERi0xLjc="))).status, 200);

  const rows = await working.db.selectFrom("event_body").select("body").execute();
  assert.deepEqual(
    rows.map(({ body }) => body.toString()),
    [event("")],
  );
});

const DATA = { envelopeId: randomUUID(), userId: randomUUID() };

test("a request without a well-formed signature is answered with 401 before its body is read", async () => {
  await using linked = await createLinkedWorld();

  for (const header of [
    "",
    "X-DocuSign-Signature-1: c2hvcnQ=\r\n",
    "X-DocuSign-Signature-0: SIGNATURE\r\n",
  ]) {
    const headers = `Content-Length: 1000\r\n${header.replace("SIGNATURE", sign("", FIRST_KEY))}`;
    const answer = await postHead(linked, linked.linkId, headers);

    assert.match(answer, /^HTTP\/1\.1 401 /);
    assert.match(answer, /Connection: close/i);
  }
});

test("a body of more than 256 KiB is not read for an unknown or ended link, whatever its signature", async () => {
  await using linked = await createLinkedWorld();
  const headers = `Content-Length: 300000\r\nX-DocuSign-Signature-1: ${sign("", FIRST_KEY)}\r\n`;
  assert.equal((await (await linked.world.api()).send("DELETE", "/v1/link")).status, 204);

  for (const linkId of [randomUUID(), linked.linkId])
    assert.match(await postHead(linked, linkId, headers), /^HTTP\/1\.1 410 /);
});

test("a message beyond RECEIVER_MEMORY is answered with 503 and Retry-After, a smaller one is recorded", async () => {
  await using linked = await createLinkedWorld({ config: { receiverMemory: 2 * 1024 * 1024 } });
  const event = (bytes: number): string => minimalEvent({ event: "envelope-sent", note: "x".repeat(bytes) });

  const beyond = await post(linked.world, linked.linkId, event(2 * 1024 * 1024));
  const within = await post(linked.world, linked.linkId, event(1024 * 1024));

  assert.deepEqual([beyond.status, within.status], [503, 200]);
  assert.equal(beyond.headers.get("retry-after"), "5");
});

test("a foreign event is recorded and answered with 200, imports nothing and excludes nothing", async () => {
  await using linked = await createLinkedWorld();
  const foreign = { accountId: randomUUID(), envelopeId: randomUUID() };
  const own = { accountId: [...linked.world.docusign.state.accounts.keys()][0], envelopeId: randomUUID() };

  const answers = [];
  for (const data of [foreign, foreign, own])
    answers.push((await post(linked.world, linked.linkId, minimalEvent({}, data))).body.result);

  assert.deepEqual(answers, ["recorded", "repeat", "recorded"]);
  assert.equal(await countEvents(linked.world), 2);
  assert.equal(await queuedImports(linked.world), 1);
  const metrics = await (await fetch(`${linked.world.url}/metrics`)).text();
  assert.match(metrics, /^torikomi_events_total\{outcome="foreign"\} 1$/m);
  await forgetJobs(linked.world);
});

/** Sends the head of a request without its body, and returns the head of the answer. */
async function postHead({ world }: Linked, linkId: string, headers: string): Promise<string> {
  const socket = connect(world.service.port, "127.0.0.1");
  socket.write(`POST /connect/${linkId} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  const [piece] = await once(socket, "data");
  socket.destroy();
  return String(piece);
}

test("a slow or stalled sender is cut off after a time limit and affects no other sender", async () => {
  await using linked = await createLinkedWorld();
  const { world, linkId } = linked;
  const slow = connect(world.service.port, "127.0.0.1");
  slow.on("error", () => {});
  const signature = `X-DocuSign-Signature-1: ${sign("", FIRST_KEY)}`;
  slow.write(
    `POST /connect/${linkId} HTTP/1.1\r\nHost: x\r\n${signature}\r\nContent-Length: 100000\r\n\r\n{"event"`,
  );

  const answer = await post(world, linkId, minimalEvent());

  assert.equal(answer.status, 200);
  assert.equal(await countEvents(world), 1);
  slow.destroy();
  await forgetJobs(world);
});

test("while the database is down, events are answered with 503 and Retry-After, never with 200", async () => {
  await using linked = await createLinkedWorld({ expectErrors: true });
  const { world, linkId } = linked;
  await world.service.foundation.receiving.close();

  const answer = await post(world, linkId, minimalEvent());

  assert.equal(answer.status, 503);
  assert.equal(answer.body.detail, "The event could not be recorded.");
  assert.match(answer.headers.get("retry-after") ?? "", /^\d+$/);
  assert.equal(await countEvents(world), 0);
});

test("while the database hangs, events are answered with 503 within five seconds and are not lost", async () => {
  await using linked = await createLinkedWorld({ expectErrors: true });
  const { world, linkId } = linked;
  const event = minimalEvent();
  const { pool } = world.service.foundation.working;
  const locker = await pool.connect();
  await locker.query("begin");
  await locker.query("lock table connect_event");

  const begun = performance.now();
  const answer = await post(world, linkId, event);
  const took = performance.now() - begun;
  await locker.query("rollback");
  locker.release();

  assert.equal(answer.status, 503);
  assert.ok(took < 5_000, `${took} ms`);
  assert.equal((await post(world, linkId, event)).status, 200);
  assert.equal(await countEvents(world), 1);
  await forgetJobs(world);
});

test("an event is refused with its reason if the queue for the database is full", async () => {
  await using linked = await createLinkedWorld();
  const { world, linkId } = linked;
  const recorder = createEventRecorder(async () => assert.fail("nothing may be written"), {
    waiting: 0,
    waitingBytes: 0,
    batch: 1,
    writers: 1,
    answerWithinMs: 1_000,
  });
  const body = Buffer.from(minimalEvent());

  const received = receiveEvent(
    { recorder, importTiming: "immediate", now: () => world.clock.now },
    deliveryOf(parseUuid<LinkId>(linkId)!, body),
  );

  await assert.rejects(received, new Refusal("unavailable", "Too many events are waiting for the database."));
});

test("events are recorded even if the API uses all of its own connections", async () => {
  await using linked = await createLinkedWorld();
  const { world, linkId } = linked;
  const { pool } = world.service.foundation.serving;
  const held = await Promise.all(Array.from({ length: pool.options.max }, async () => await pool.connect()));

  const answer = await post(world, linkId, minimalEvent());

  assert.equal(answer.status, 200);
  for (const client of held) client.release();
});

test("with IMPORT_TIMING=hourly an event's import waits until the next full hour", async () => {
  await using linked = await createLinkedWorld({ config: { importTiming: "hourly" } });
  const { world } = linked;
  const account = [...world.docusign.state.accounts.values()][0];
  const sender = world.docusign.addUser(account!, { name: "佐藤", role: "DS Sender" });
  await world.docusign.concludeEnvelope({ from: sender, to: [{ name: "乙", email: "otsu@example.com" }] });

  await world.runJobs();
  assert.deepEqual(await world.contracts(), []);
  world.clock.pass(50 * 60 * 1000);
  await world.runJobs();

  assert.equal((await world.contracts()).length, 1);
});

/** Removes import jobs of envelopes unknown to DocuSign, which these tests do not cover. */
async function forgetJobs(world: World): Promise<void> {
  await sql`delete from graphile_worker._private_jobs`.execute(world.service.foundation.working.db);
}
