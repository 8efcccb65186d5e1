import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { eraseOrphans } from "../../src/usecases/keeping/erase-orphans.ts";
import type { Failure } from "../support/docusign/faults.ts";
import type { Envelope } from "../support/docusign/state.ts";
import { type Companies, CUSTOMER, createCompanies, linkOf } from "../support/linked-world.ts";
import { callsOf, DAY_MS, HOUR_MS, linesOf } from "../support/reconciling.ts";
import { EVERY_SCOPE, type World } from "../support/world.ts";

const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";
const DOWNLOAD = `GET ${DOCUMENT}`;

async function createLinked(certificates: boolean): Promise<Companies> {
  const companies = await createCompanies();
  assert.equal(await companies.world.link(companies.admin, { wish: { certificates } }), "linked");
  await companies.world.runJobs();
  return companies;
}

/** An envelope with two documents. */
async function conclude({ world, colleague }: Companies): Promise<Envelope> {
  const documents = [{ name: "契約書.pdf" }, { name: "別紙.pdf" }];
  return await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], documents });
}

/** The API's answer to a request for the certificate of a contract. */
async function fetchCertificate(
  world: World,
  id: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: EVERY_SCOPE, sub: "reader" });
  return await fetch(`${world.url}/v1/contracts/${id}/certificate`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
}

/** The keys in the document store. */
async function keysOf({ service }: World): Promise<string[]> {
  return (await Array.fromAsync(service.foundation.tasks.documents.list())).map(({ key }) => key);
}

test("an import with certificates costs one more call, and all contracts of the envelope share the certificate", async () => {
  await using companies = await createLinked(true);
  const { world } = companies;
  const { envelopeId } = await conclude(companies);

  const calls = await callsOf(world, async () => await world.runJobs());

  const contracts = await world.contracts();
  const response = await fetchCertificate(world, contracts[0].id);
  const bytes = Buffer.from(await response.arrayBuffer());
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const certificate = { bytes: bytes.byteLength, sha256 };
  assert.equal(calls.filter((call) => call === DOWNLOAD).length, 3);
  assert.deepEqual(
    contracts.map((one) => one.certificate),
    [certificate, certificate],
  );
  assert.notEqual(sha256, contracts[0].sha256);
  assert.equal(response.headers.get("content-type"), "application/pdf");
  assert.match(
    response.headers.get("content-disposition") ?? "",
    new RegExp(`Certificate-${envelopeId}\\.pdf`),
  );
  const part = await fetchCertificate(world, contracts[1].id, { range: "bytes=0-3" });
  assert.deepEqual([part.status, await part.text()], [206, "%PDF"]);
  const same = await fetchCertificate(world, contracts[1].id, { "if-none-match": `"${sha256}"` });
  assert.equal(same.status, 304);
  const { body } = await (await world.api()).get("/v1/changes");
  assert.deepEqual(
    body.items.map(({ contract }: any) => contract.certificate),
    [certificate, certificate],
  );
});

test("an import without certificates costs no more call, and contracts have none", async () => {
  await using companies = await createLinked(false);
  const { world } = companies;
  await conclude(companies);

  const calls = await callsOf(world, async () => await world.runJobs());

  const [contract] = await world.contracts();
  assert.equal(calls.filter((call) => call === DOWNLOAD).length, 2);
  assert.equal(contract.certificate, null);
  assert.equal((await fetchCertificate(world, contract.id)).status, 404);
});

test("certificates are switched on and off for imports from then on", async () => {
  await using companies = await createLinked(false);
  const { world } = companies;
  const api = await world.api();
  await conclude(companies);
  await world.runJobs();

  const on = await api.send("PATCH", "/v1/link", { certificates: true });
  world.clock.pass(60_000);
  await conclude(companies);
  await world.runJobs();
  const off = await api.send("PATCH", "/v1/link", { certificates: false });
  world.clock.pass(60_000);
  await conclude(companies);
  await world.runJobs();

  assert.deepEqual([on.body.certificates, off.body.certificates], [true, false]);
  const has = (await world.contracts()).map(({ certificate }) => certificate !== null);
  assert.deepEqual(has, [false, false, true, true, false, false]);
});

test("a certificate is erased with the last contract of its envelope", async () => {
  await using companies = await createLinked(true);
  const { world } = companies;
  await conclude(companies);
  await world.runJobs();
  const api = await world.api();
  const [one, other] = await world.contracts();

  await api.send("DELETE", `/v1/contracts/${one.id}`);
  await world.runJobs();
  const kept = await fetchCertificate(world, other.id);
  world.clock.pass(3 * DAY_MS);
  await eraseOrphans(world.service.foundation.tasks);
  const keys = await keysOf(world);
  await (await world.api()).send("DELETE", `/v1/contracts/${other.id}`);
  await world.runJobs();

  assert.equal(kept.status, 200);
  assert.equal(keys.filter((key) => key.startsWith("certificates/")).length, 1);
  assert.deepEqual(
    (await keysOf(world)).filter((key) => !key.startsWith("deleted/")),
    [],
  );
});

test("a certificate that no row knows is an orphan", async () => {
  await using companies = await createLinked(true);
  const { world } = companies;
  const { documents } = world.service.foundation.tasks;
  await documents.put(
    "certificates/orphan",
    (async function* () {
      yield Buffer.from("%PDF-1.7 %%EOF");
    })(),
  );
  world.clock.now = new Date(Date.now() + 3 * DAY_MS);

  await eraseOrphans(world.service.foundation.tasks);

  assert.deepEqual(
    (await keysOf(world)).filter((key) => key.startsWith("certificates/")),
    [],
  );
});

const isCertificate = ({ path }: { path: string }): boolean => path.endsWith("/documents/certificate");

const REFUSALS: Readonly<Record<string, Failure>> = {
  "400": { status: 400, body: { errorCode: "UNSPECIFIED_ERROR", message: "An error occurred." } },
  "403": { status: 403, body: { errorCode: "USER_LACKS_PERMISSIONS", message: "no" } },
  "404": { status: 404, body: { errorCode: "DOCUMENT_DOES_NOT_EXIST", message: "gone" } },
};

for (const [status, refusal] of Object.entries(REFUSALS)) {
  test(`an envelope whose certificate DocuSign refuses with ${status} is imported without it`, async () => {
    await using companies = await createLinked(true);
    const { world } = companies;
    world.docusign.failNext(1, refusal, isCertificate);
    await conclude(companies);

    await world.runJobs();

    assert.deepEqual(
      (await world.contracts()).map(({ certificate }) => certificate),
      [null, null],
    );
    assert.equal((await linkOf(world)).state, "active");
    assert.equal(linesOf(world, "imported without its certificate").length, 1);
  });
}

const TOKEN = "a rejected token";

const TRANSIENT: Readonly<Record<string, Failure>> = {
  "a server error": { status: 500 },
  "a time limit": { status: 408 },
  [TOKEN]: { status: 401, body: { errorCode: "USER_AUTHENTICATION_FAILED", message: "no" } },
  "the hourly limit": {
    status: 400,
    body: { errorCode: "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", message: "limit" },
  },
  "a page of a proxy": { status: 404, html: "<html><body>Not found</body></html>" },
};

for (const [what, failure] of Object.entries(TRANSIENT)) {
  test(`an envelope whose certificate fails by ${what} is retried, without another download of its documents`, async () => {
    await using companies = await createLinked(true);
    const { world } = companies;
    // A call is repeated once with a fresh token.
    world.docusign.failNext(what === TOKEN ? 2 : 1, failure, isCertificate);
    await conclude(companies);

    await world.runJobs();
    const before = await world.contracts();
    const calls = await callsOf(world, async () => {
      world.clock.pass(2 * HOUR_MS);
      await world.runJobs();
      await world.runHour();
    });

    assert.deepEqual(before, []);
    assert.equal(calls.filter((call) => call === DOWNLOAD).length, 1);
    assert.ok((await world.contracts()).every(({ certificate }) => certificate !== null));
  });
}

test("an envelope that would be parked for its certificate only is imported without it", async () => {
  await using companies = await createLinked(true);
  const { world } = companies;
  world.docusign.failNext(2, { status: 500 }, isCertificate);
  await conclude(companies);
  await world.runJobs();
  const { db } = world.service.foundation.working;
  await db.updateTable("envelope").set({ attempts: 99 }).execute();

  world.clock.pass(2 * HOUR_MS);
  await world.runJobs();

  assert.deepEqual(
    (await world.contracts()).map(({ certificate }) => certificate),
    [null, null],
  );
});

test("a linking without the option, and a repair, take no certificates", async () => {
  await using companies = await createLinked(false);
  const { world, admin } = companies;
  world.docusign.revokeConsent(admin);
  await world.runHour();
  assert.equal((await linkOf(world)).state, "error");

  await world.link(admin, { wish: { certificates: true } });

  assert.equal((await linkOf(world)).certificates, false);
});

test("an import that is interrupted after its certificate is stored does not fetch it again", async () => {
  await using companies = await createLinked(true);
  const { world } = companies;
  const api = await world.api();
  world.docusign.onNext(isCertificate, async () => void (await api.send("POST", "/v1/link/pause")));
  await conclude(companies);

  await world.runJobs();
  const before = await world.contracts();
  await api.send("POST", "/v1/link/resume");
  const calls = await callsOf(world, async () => await world.runJobs());

  assert.deepEqual(before, []);
  assert.equal(calls.filter((call) => call === DOWNLOAD).length, 0);
  assert.ok((await world.contracts()).every(({ certificate }) => certificate !== null));
});
