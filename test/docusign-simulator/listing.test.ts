import assert from "node:assert/strict";
import { test } from "node:test";
import type { DocuSignSimulator } from "../support/docusign/simulator.ts";
import type { Envelope, User } from "../support/docusign/state.ts";
import { type Api, idsOf, openApi, rowsOf, startSimulator, within } from "./client.ts";

const COMPLETED = "from_to_status=completed&status=completed&order_by=completed&order=asc";
const ALL = `/envelopes?from_date=2020-01-01T00:00:00Z&${COMPLETED}`;

async function openAccount(): Promise<{
  simulator: DocuSignSimulator;
  api: Api;
  from: User;
  conclude: (completedAt: string) => Promise<Envelope>;
}> {
  const simulator = await startSimulator();
  const account = simulator.addAccount();
  const from = simulator.addUser(account, { name: "山田", role: "DS Admin" });
  const api = await openApi(simulator, account, from);
  const to = [{ name: "乙", email: "otsu@example.com" }];
  return {
    simulator,
    api,
    from,
    conclude: (completedAt) => simulator.concludeEnvelope({ from, to, completedAt: new Date(completedAt) }),
  };
}

test("a listing shows what completed between its dates, both included, in order of completion", async () => {
  const { simulator, api, conclude } = await openAccount();
  await using _ = simulator;
  const [late, first, last] = [
    await conclude("2026-03-03T00:00:00.001Z"),
    await conclude("2026-03-01T00:00:00Z"),
    await conclude("2026-03-03T00:00:00Z"),
  ];
  await conclude("2026-02-28T23:59:59.999Z");

  const dates = "from_date=2026-03-01T09:00:00%2B09:00&to_date=2026-03-03T00:00:00Z";
  const answer = await api(`/envelopes?${dates}&${COMPLETED}`);
  const backwards = await api(
    `/envelopes?from_date=2026-03-01T00:00:00Z&${COMPLETED.replace("=asc", "=desc")}`,
  );

  assert.deepEqual(idsOf(answer), [first.envelopeId, last.envelopeId]);
  assert.deepEqual(idsOf(backwards), [late.envelopeId, last.envelopeId, first.envelopeId]);
  assert.equal(within(answer.json, "totalSetSize"), "2");
  simulator.assertNoProblems();
});

test("a listing is paged, and its pages name the next and the previous one", async () => {
  const { simulator, api, conclude } = await openAccount();
  await using _ = simulator;
  const envelopes = [];
  for (const day of [1, 2, 3, 4, 5]) envelopes.push(await conclude(`2026-03-0${day}T00:00:00Z`));

  const first = await api(`${ALL}&count=2`);
  const second = await api(String(first.json["nextUri"]).replace(/^\/accounts\/[^/]+/, ""));
  const third = await api(`${ALL}&count=2&start_position=4`);
  const beyond = await api(`${ALL}&count=2&start_position=6`);

  assert.deepEqual(
    [first, second, third].flatMap(idsOf),
    envelopes.map(({ envelopeId }) => envelopeId),
  );
  const { startPosition, endPosition, resultSetSize, totalSetSize } = second.json;
  assert.deepEqual([startPosition, endPosition, resultSetSize, totalSetSize], ["2", "3", "2", "5"]);
  assert.match(String(second.json["previousUri"]), /start_position=0/);
  assert.equal(third.json["nextUri"], "");
  assert.deepEqual(beyond.json, { resultSetSize: "0", totalSetSize: "5" });
  simulator.assertNoProblems();
});

test("envelopes that are not completed are listed by what they are, never as completed", async () => {
  const { simulator, api, conclude, from } = await openAccount();
  await using _ = simulator;
  const completed = await conclude("2026-03-01T00:00:00Z");
  const [voided, declined, deleted] = [
    await simulator.voidEnvelope(await simulator.sendEnvelope({ from })),
    await simulator.declineEnvelope(await simulator.sendEnvelope({ from })),
    await simulator.deleteEnvelope(await simulator.sendEnvelope({ from })),
  ];
  const list = async (query: string): Promise<string[]> =>
    idsOf(await api(`/envelopes?from_date=2020-01-01T00:00:00Z&${query}`));

  assert.deepEqual(await list("from_to_status=completed"), [completed.envelopeId]);
  assert.deepEqual(await list("status=completed"), [completed.envelopeId]);
  const both = [declined.envelopeId, voided.envelopeId];
  assert.deepEqual(await list("status=voided,declined&order_by=status"), both);
  assert.deepEqual(await list("from_to_status=deleted&status=deleted"), [deleted.envelopeId]);
  assert.deepEqual(await list("from_to_status=completed&status=sent"), []);
  simulator.assertNoProblems();
});

test("recipients and documents are in a listing only when asked for", async () => {
  const { simulator, api, conclude } = await openAccount();
  await using _ = simulator;
  await conclude("2026-03-01T00:00:00Z");
  const row = async (include: string): Promise<Record<string, unknown> | undefined> =>
    rowsOf((await api(`${ALL}${include}`)).json["envelopes"])[0];

  const bare = await row("");
  const full = await row("&include=recipients,documents");

  assert.deepEqual([bare?.["recipients"], bare?.["envelopeDocuments"]], [undefined, undefined]);
  assert.equal(rowsOf(within(full, "recipients", "signers"))[0]?.["email"], "otsu@example.com");
  const documents = rowsOf(full?.["envelopeDocuments"]);
  assert.deepEqual(
    documents.map(({ documentId, type }) => [documentId, type]),
    [
      ["1", "content"],
      ["certificate", "summary"],
    ],
  );
  assert.equal(full?.["completedDateTime"], "2026-03-01T00:00:00.0000000Z");
  simulator.assertNoProblems();
});

test("the index may lag, bring what was not asked for, and leave recipients out", async () => {
  let now = new Date("2026-03-31T15:00:00Z");
  await using simulator = await startSimulator({ now: () => now });
  const account = simulator.addAccount();
  const from = simulator.addUser(account, { name: "山田", role: "DS Admin" });
  const api = await openApi(simulator, account, from);
  const late = await simulator.concludeEnvelope({ from });
  const strange = await simulator.sendEnvelope({ from });
  simulator.lateInListing(late, new Date("2026-03-31T16:00:00Z"));
  simulator.extraneousInListing(strange);
  simulator.withoutRecipientsInListing(late);

  const before = await api(ALL);
  now = new Date("2026-03-31T16:00:00Z");
  const after = await api(`${ALL}&include=recipients`);

  assert.deepEqual(idsOf(before), [strange.envelopeId]);
  assert.deepEqual(idsOf(after), [strange.envelopeId, late.envelopeId]);
  const [, row] = rowsOf(after.json["envelopes"]);
  assert.equal(row?.["recipients"], undefined);
});

const MISTAKES: [query: string, status: number, problem: RegExp | null][] = [
  ["", 400, null],
  ["from_date=yesterday", 400, null],
  ["from_date=2026-03-01T00:00:00", 501, /no offset/],
  ["from_date=2026-03-01T00:00:00Z&count=1001", 400, null],
  ["from_date=2026-03-01T00:00:00Z&start_position=-1", 400, null],
  ["from_date=2026-03-01T00:00:00Z&order_by=signer_list", 501, /order_by signer_list/],
  ["from_date=2026-03-01T00:00:00Z&include=folders", 501, /include folders/],
  ["from_date=2026-03-01T00:00:00Z&status_changed=x", 501, /unknown query parameter status_changed/],
  ["from_date=2026-03-01T00:00:00Z&search_text=x", 501, /search_text is unknown to the simulator/],
];

for (const [query, status, problem] of MISTAKES) {
  test(`a listing by "${query}" is answered ${status}${problem === null ? "" : " and is a problem"}`, async () => {
    const { simulator, api } = await openAccount();
    await using _ = simulator;

    const answer = await api(`/envelopes?${query}`);

    assert.equal(answer.status, status);
    assert.match(simulator.takeProblems().join("\n"), problem ?? /^$/);
  });
}
