import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { sql } from "kysely";
import type { Call } from "../support/docusign/exchange.ts";
import { type Companies, CUSTOMER, createLinkedCompanies, endLink } from "../support/linked-world.ts";
import type { World } from "../support/world.ts";
import { runCommand } from "./commands.ts";

test("verify-documents exits with 0 if the bytes of all contracts are there", async () => {
  await using companies = await createStored();
  const { world, contracts } = companies;
  assert.equal((await (await world.api()).send("DELETE", `/v1/contracts/${contracts[2].id}`)).status, 204);
  await world.runJobs();

  assert.deepEqual(await runCommand(world, "verify-documents"), {
    exit: 0,
    out: "checked 2 contracts: 0 missing or wrong\n",
  });
  assert.equal((await runCommand(world, "verify-documents --tenant tenant-9")).out.slice(0, 9), "checked 0");
});

test("verify-documents prints the contracts whose bytes are missing or have the wrong length", async () => {
  await using companies = await createStored();
  const { world, contracts } = companies;
  await loseBytes(world, contracts[0]);
  await replaceBytes(world, contracts[1], (bytes) => bytes.subarray(1));

  const { exit, out } = await runCommand(world, "verify-documents");

  assert.equal(exit, 1);
  const lines = out.trimEnd().split("\n");
  assert.equal(lines.pop(), "checked 3 contracts: 2 missing or wrong");
  assert.deepEqual(lines.sort(), [`${contracts[0].id} missing`, `${contracts[1].id} wrong length`].sort());
});

test("only --deep finds bytes that have the right length and the wrong hash", async () => {
  await using companies = await createStored();
  const { world, contracts } = companies;
  await replaceBytes(world, contracts[1], (bytes) => Buffer.alloc(bytes.length, "x"));

  assert.equal((await runCommand(world, "verify-documents")).exit, 0);
  const { exit, out } = await runCommand(world, "verify-documents --deep --tenant tenant-1");

  assert.equal(exit, 1);
  assert.equal(out, `${contracts[1].id} wrong hash\nchecked 3 contracts: 1 missing or wrong\n`);
});

test("--repair fetches missing and wrong bytes through the link of the tenant", async () => {
  await using companies = await createStored();
  const { world, contracts } = companies;
  await loseBytes(world, contracts[0]);
  await replaceBytes(world, contracts[1], (bytes) => Buffer.alloc(bytes.length, "x"));

  const { exit, out } = await runCommand(world, "verify-documents --deep --repair");

  assert.equal(exit, 0);
  assert.match(out, /checked 3 contracts: 2 missing or wrong, 2 repaired\n$/);
  assert.equal((await runCommand(world, "verify-documents --deep")).exit, 0);
  for (const { id, sha256 } of contracts) {
    const { status, headers } = await (await world.api()).get(`/v1/contracts/${id}/document`);
    assert.deepEqual([status, headers.get("etag")], [200, `"${sha256}"`]);
  }
  const { documents } = world.service.foundation.tasks;
  assert.equal((await Array.fromAsync(documents.list("contracts"))).length, 3, "no document is left over");
});

test("--repair keeps what it cannot fetch and exits with 1: other bytes, a refusal of DocuSign, no link", async () => {
  await using companies = await createStored();
  const { world, contracts } = companies;
  await loseBytes(world, contracts[0]);
  await loseBytes(world, contracts[1]);
  await sql`update contract set sha256 = repeat('ab', 32) where id = ${contracts[1].id}`.execute(
    world.service.foundation.working.db,
  );
  const isDownload = ({ path }: Call): boolean =>
    path.includes(contracts[0].source.envelopeId) && path.includes("/documents/");
  world.docusign.failNext(1, { status: 400, body: { errorCode: "UNKNOWN", message: "no" } }, isDownload);

  const first = await runCommand(world, "verify-documents --repair");
  assert.equal(first.exit, 1);
  assert.match(first.out, new RegExp(`${contracts[0].id} missing, not repaired: DocuSign: UNKNOWN`));
  assert.match(
    first.out,
    new RegExp(`${contracts[1].id} missing, not repaired: DocuSign returns other bytes`),
  );
  assert.equal((await endLink(world)).status, 204);
  const second = await runCommand(world, "verify-documents --repair");
  assert.match(second.out, /not repaired: the tenant has no link\n/);
});

test("on a terminal verify-documents shows a progress bar", async () => {
  await using companies = await createStored();

  const { out } = await runCommand(companies.world, "verify-documents", { terminal: true });

  assert.match(out, /verifying documents \[[^\]]*\] 3\/3/);
});

type Stored = Companies & { readonly contracts: readonly any[] };

/** Three contracts are imported. */
async function createStored(): Promise<Stored> {
  const companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  for (const name of ["one", "two", "three"])
    await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], documents: [{ name }] });
  await world.runJobs();
  return { ...companies, contracts: await world.contracts() };
}

async function keyOf({ service }: World, { id }: { id: string }): Promise<string> {
  const row = await service.foundation.working.db
    .selectFrom("contract")
    .select("document_key")
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  return row.document_key;
}

async function loseBytes(world: World, contract: { id: string }): Promise<void> {
  await world.service.foundation.tasks.documents.erase(await keyOf(world, contract));
}

async function replaceBytes(
  world: World,
  contract: { id: string; bytes: number },
  change: (bytes: Buffer) => Buffer,
): Promise<void> {
  const bytes = change(Buffer.alloc(contract.bytes));
  await world.service.foundation.tasks.documents.put(await keyOf(world, contract), Readable.from([bytes]));
}
