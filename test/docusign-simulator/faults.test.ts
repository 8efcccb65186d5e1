import assert from "node:assert/strict";
import { test } from "node:test";
import { pdf } from "../support/docusign/pdf.ts";
import type { DocuSignSimulator, SimulatorOptions } from "../support/docusign/simulator.ts";
import type { Account, User } from "../support/docusign/state.ts";
import { type Api, addressOf, logIn, openApi, startSimulator } from "./client.ts";

type Story = AsyncDisposable & {
  simulator: DocuSignSimulator;
  account: Account;
  admin: User;
  api: Api;
  /** Downloads a document; `bytes` rejects where the body does not come to its end. */
  download: (path: string, signal?: AbortSignal) => Promise<{ response: Response; bytes: Promise<Buffer> }>;
};

async function openStory(options: Partial<SimulatorOptions> = {}): Promise<Story> {
  const simulator = await startSimulator(options);
  const account = simulator.addAccount();
  const admin = simulator.addUser(account, { name: "山田", role: "DS Admin" });
  const { access_token: token } = await logIn(simulator, admin);
  return {
    simulator,
    account,
    admin,
    api: await openApi(simulator, account, admin),
    download: async (path, signal) => {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(addressOf(simulator, account, path), { headers, signal: signal ?? null });
      return { response, bytes: response.arrayBuffer().then((buffer) => Buffer.from(buffer)) };
    },
    [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose](),
  };
}

test("documents are downloaded as PDF with their length and name, the certificate too", async () => {
  await using story = await openStory();
  const bytes = pdf("覚書");
  const documents = [
    { name: '覚書 "1".docx', bytes },
    { name: "large.pdf", sizeInBytes: 1_000_000 },
  ];
  const { envelopeId } = await story.simulator.concludeEnvelope({ from: story.admin, documents });
  const path = `/envelopes/${envelopeId}/documents`;

  const [first, second, certificate] = [
    await story.download(`${path}/1`),
    await story.download(`${path}/2`),
    await story.download(`${path}/certificate`),
  ];
  const missing = await story.api(`${path}/3`);

  assert.deepEqual(await first.bytes, bytes);
  assert.equal(first.response.headers.get("content-type"), "application/pdf");
  assert.equal(
    first.response.headers.get("content-disposition"),
    'file; filename="__ _1_.docx"; documentid="1"',
  );
  assert.equal(second.response.headers.get("content-length"), "1000000");
  assert.equal((await second.bytes).length, 1_000_000);
  assert.match((await certificate.bytes).toString("latin1"), /^%PDF-/);
  assert.deepEqual([missing.status, missing.json["errorCode"]], [404, "DOCUMENT_DOES_NOT_EXIST"]);
  story.simulator.assertNoProblems();
});

test("purged documents are gone, queued ones are still there", async () => {
  await using story = await openStory();
  const envelope = await story.simulator.concludeEnvelope({ from: story.admin });
  const path = `/envelopes/${envelope.envelopeId}/documents`;
  const names = async (): Promise<unknown> =>
    JSON.stringify((await story.api(path)).json).match(/"name":"[^"]+"/g);

  await story.simulator.purgeDocuments(envelope, "documents_queued");
  const queued = await names();
  await story.simulator.purgeDocuments(envelope, "documents_purged");
  const purged = await names();

  assert.deepEqual(queued, ['"name":"契約書.pdf"', '"name":"Summary"']);
  assert.deepEqual(purged, ['"name":"Summary"']);
  assert.equal((await story.api(`${path}/1`)).status, 404);
  assert.equal((await story.api(`/envelopes/${envelope.envelopeId}`)).json["purgeState"], "documents_purged");
});

test("the next calls fail as asked, others and later ones do not", async () => {
  await using story = await openStory();
  const { simulator, api } = story;
  const headers = { "Retry-After": "7" };
  simulator.failNext(2, { status: 503, body: { errorCode: "X", message: "" }, headers }, "/connect");
  simulator.failNext(1, { status: 444, html: "<h1>blocked</h1>" }, ({ path }) => path.endsWith("/settings"));

  const answers = [
    await api("/connect"),
    await api("/settings"),
    await api("/connect"),
    await api("/connect"),
  ];

  assert.deepEqual(
    answers.map(({ status }) => status),
    [503, 444, 503, 200],
  );
  assert.equal(answers[0]?.headers.get("retry-after"), "7");
  assert.equal(answers[1]?.headers.get("content-type"), "text/html; charset=utf-8");
  assert.deepEqual(answers[1]?.json, { text: "<h1>blocked</h1>" });
  simulator.assertNoProblems();
});

test("a call that hangs is never answered, and the next one is", async () => {
  await using story = await openStory();
  const { simulator, account } = story;
  simulator.hangNext("/connect");
  const controller = new AbortController();
  const arrived = new Promise<void>((resolve) => simulator.onNext("/connect", resolve));

  const hanging = fetch(addressOf(simulator, account, "/connect"), { signal: controller.signal });
  await arrived;
  const next = await story.api("/connect");
  controller.abort();

  await assert.rejects(hanging, /abort/);
  assert.equal(next.status, 200);
  assert.equal(simulator.callsTo("/connect")[0]?.status, null);
  simulator.assertNoProblems();
});

test("something can happen just before the next answer", async () => {
  await using story = await openStory();
  const { simulator, account, admin, api } = story;
  simulator.onNext("/settings", () => simulator.setRole(admin, account, "DS Viewer"));

  const during = await api("/settings");

  assert.equal(during.json["errorCode"], "USER_NOT_ACCOUNT_ADMIN");
});

test("slow answers are still awaited when quick ones are there", async () => {
  await using story = await openStory();
  const { simulator, account, api } = story;
  const anHour = 3_600_000;
  simulator.answerSlowly(anHour, "/settings");
  const controller = new AbortController();
  const arrived = new Promise<void>((resolve) => simulator.onNext("/settings", resolve));

  const slow = fetch(addressOf(simulator, account, "/settings"), { signal: controller.signal });
  await arrived;
  const quick = await api("/connect");
  const isAnswered = simulator.callsTo("/settings")[0]?.status !== null;
  controller.abort();
  simulator.answerSlowly(0, "/settings");

  await assert.rejects(slow, /abort/);
  assert.deepEqual([quick.status, isAnswered], [200, false]);
  assert.equal((await api("/settings")).status, 200);
});

test("a truncated download breaks off with half of its bytes missing, the next one is whole", async () => {
  await using story = await openStory();
  const { envelopeId } = await story.simulator.concludeEnvelope({ from: story.admin });
  story.simulator.truncateNextDownload();

  const broken = await story.download(`/envelopes/${envelopeId}/documents/1`);
  await assert.rejects(broken.bytes);
  const whole = await story.download(`/envelopes/${envelopeId}/documents/1`);

  assert.equal(String((await whole.bytes).length), broken.response.headers.get("content-length"));
  story.simulator.assertNoProblems();
});

test("a stalled download stands still after its first half", async () => {
  await using story = await openStory();
  const documents = [{ name: "a.pdf", sizeInBytes: 100_000 }];
  const { envelopeId } = await story.simulator.concludeEnvelope({ from: story.admin, documents });
  story.simulator.stallNextDownload();
  const { access_token: token } = await logIn(story.simulator, story.admin);
  const address = addressOf(story.simulator, story.account, `/envelopes/${envelopeId}/documents/1`);

  const { body } = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
  let received = 0;
  for await (const chunk of body ?? []) {
    received += chunk.length;
    if (received >= 50_000) break;
  }

  assert.equal(received, 50_000);
  story.simulator.assertNoProblems();
});

test("a download can bring other bytes, or none", async () => {
  await using story = await openStory();
  const { envelopeId } = await story.simulator.concludeEnvelope({ from: story.admin });
  const path = `/envelopes/${envelopeId}/documents/1`;
  story.simulator.serveNextDownloadAs("<html>");
  story.simulator.serveNextDownloadAs("");

  const [html, empty] = [await story.download(path), await story.download(path)];

  assert.equal((await html.bytes).toString(), "<html>");
  assert.deepEqual([(await empty.bytes).length, empty.response.headers.get("content-length")], [0, "0"]);
});

test("while DocuSign is down connections are cut, and then it is back", async () => {
  await using story = await openStory();
  story.simulator.goDown();

  await assert.rejects(story.api("/connect"));
  story.simulator.comeUp();

  assert.equal((await story.api("/connect")).status, 200);
});

test("answers may ignore include", async () => {
  await using story = await openStory();
  const { envelopeId } = await story.simulator.concludeEnvelope({ from: story.admin });
  story.simulator.withoutIncludes();

  const one = await story.api(`/envelopes/${envelopeId}?include=recipients,documents`);
  const listed = await story.api("/envelopes?from_date=2020-01-01T00:00:00Z&include=recipients,documents");

  assert.equal(one.json["recipients"], undefined);
  assert.doesNotMatch(JSON.stringify(listed.json), /"recipients":|envelopeDocuments/);
});
