import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { openDatabase } from "../../src/store/database.ts";
import { isCurrent } from "../../src/store/migrate.ts";
import { findFreePort } from "../support/free-port.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  subjects,
} from "../support/linked-world.ts";
import { createEmptyDatabase } from "../support/postgres.ts";
import { environmentOf, runProgram, startProgram } from "./commands.ts";

/** The program uses the real clock, so the world does too. */
const TODAY = { at: new Date(Date.now() - 60_000).toISOString() };

test("a usage error ends the program with exit code 64 and one line with the reason", async () => {
  const { exit, out, err } = await runProgram(["reconsile"], {});

  assert.deepEqual({ exit, out }, { exit: 64, out: "" });
  assert.equal(err, 'torikomi: unknown command "reconsile" (torikomi help)\n');
});

test("the version is that of package.json and needs no configuration", async () => {
  const manifest = JSON.parse(await readFile(join(import.meta.dirname, "../../package.json"), "utf8"));

  const version = await runProgram(["--version"], {});

  assert.deepEqual(version, { exit: 0, out: `${manifest.version}\n`, err: "" });
});

test("help lists every command and exits with 0", async () => {
  const { exit, out, err } = await runProgram(["help"], {});

  assert.deepEqual([exit, err], [0, ""]);
  for (const name of [
    "serve",
    "work",
    "all",
    "migrate",
    "reconcile",
    "explain",
    "replay",
    "reencrypt",
    "restored",
    "verify-documents",
    "erase-tenant",
    "doctor",
    "help",
    "--version",
  ])
    assert.match(out, new RegExp(`^ {2}${name} `, "m"));
});

test("a wrong configuration is reported problem by problem with exit code 78, and as findings by the doctor", async () => {
  const environment = { PORT: "high", DATABASE_URL: "mysql://x" };

  const reconcile = await runProgram(["reconcile"], environment);
  const doctor = await runProgram(["doctor"], environment);

  const names = ["DATABASE_URL", "PORT", "DOCUSIGN_CLIENT_ID", "DOCUSIGN_CLIENT_SECRET"];
  assert.deepEqual([reconcile.exit, reconcile.out], [78, ""]);
  assert.deepEqual([doctor.exit, doctor.err], [78, ""]);
  for (const name of names) {
    assert.match(reconcile.err, new RegExp(`^torikomi: ${name} (must|is) .+$`, "m"));
    assert.match(doctor.out, new RegExp(`^FAIL configuration: ${name} (must|is) .+$`, "m"));
  }
  assert.match(doctor.out, /^FAIL configuration: CONNECT_HMAC_KEYS is required$/m);
  assert.equal(doctor.out.trimEnd().split("\n").length, names.length + 1);
  assert.equal(reconcile.err.trimEnd().split("\n").length, names.length);
});

test("two simultaneous migrations bring a database to the current version once", async () => {
  await using empty = await createEmptyDatabase();
  await using opened = new AsyncDisposableStack();
  const database = opened.adopt(openDatabase(empty.connectionString), async (one) => await one.close());
  const environment = { DATABASE_URL: empty.connectionString, LOG_LEVEL: "silent" };

  const both = await Promise.all([
    runProgram(["migrate"], environment),
    runProgram(["migrate"], environment),
  ]);

  assert.deepEqual(
    both.map(({ exit, err }) => [exit, err]),
    [
      [0, ""],
      [0, ""],
    ],
  );
  assert.equal(both.filter(({ out }) => out.startsWith("applied ")).length, 1);
  assert.ok(await isCurrent(database.db));
});

test("a migration waits for an unresponsive database as long as configured", async () => {
  await using empty = await createEmptyDatabase();
  const { port, hostname } = new URL(empty.connectionString);
  const forwarder = createServer((client) => {
    const server = connect({ port: Number(port), host: hostname });
    client
      .pipe(server)
      .pipe(client)
      .on("error", () => server.destroy());
  });
  const address = new URL(empty.connectionString);
  address.port = String(await findFreePort());
  const environment = { DATABASE_URL: address.href, LOG_LEVEL: "silent" };

  const hasty = await runProgram(["migrate", "--wait", "0"], environment);
  const patient = startProgram(["migrate"], environment);
  const [told] = await once(patient.stderr, "data");
  forwarder.listen(Number(address.port), "127.0.0.1");
  const [exit] = await once(patient, "close");
  forwarder.close();

  assert.equal(hasty.exit, 1);
  assert.match(hasty.err, /^torikomi: [^\n]*ECONNREFUSED[^\n]*\n$/);
  assert.match(String(told), /^torikomi: waiting for the database: [^\n]*ECONNREFUSED[^\n]*\n$/);
  assert.equal(exit, 0);
});

test("reconcile works from the shell to DocuSign and back", async () => {
  await using companies = await createCompanies(TODAY);
  const { world, admin } = companies;
  for (const subject of ["一", "二"])
    await world.docusign.concludeEnvelope({ from: admin, to: [CUSTOMER], subject });
  await world.link(admin);

  const first = await runProgram(["reconcile"], environmentOf(world));
  const json = await runProgram(["reconcile", "--json"], environmentOf(world));

  assert.deepEqual([first.exit, first.err], [0, ""]);
  assert.match(first.out, /: imports: 2 of 2\n/);
  assert.match(first.out, /listed {4}2: known 0, new 2/);
  assert.ok(!first.out.includes("\u001B"), "no bar without a terminal");
  assert.deepEqual([json.exit, json.err], [0, ""]);
  assert.equal(JSON.parse(json.out).links[0].reconciliations[0].known, 2);
  assert.deepEqual(await subjects(world), ["一", "二"]);
});

test("an unknown link ends the command with one line on standard error", async () => {
  await using companies = await createLinkedCompanies(TODAY);
  const id = randomUUID();

  const { exit, out, err } = await runProgram(
    ["reconcile", "--link", id, "--json"],
    environmentOf(companies.world),
  );

  assert.deepEqual({ exit, out, err }, { exit: 1, out: "", err: `torikomi: there is no link ${id}\n` });
});

test("a missing database ends the command with one line", async () => {
  await using companies = await createLinkedCompanies(TODAY);
  const environment = {
    ...environmentOf(companies.world),
    DATABASE_URL: "postgres://x:hidden@localhost:1/x",
  };

  const explain = await runProgram(["explain", randomUUID()], environment);
  const doctor = await runProgram(["doctor"], environment);

  assert.equal(explain.exit, 1);
  assert.match(explain.err, /^torikomi: [^\n]*ECONNREFUSED[^\n]*\n$/);
  assert.doesNotMatch(explain.err, /hidden/);
  assert.equal(doctor.exit, 1);
  assert.match(doctor.out, /^FAIL database: .*ECONNREFUSED/m);
});

test("the doctor of a checkout that was never started applies no migrations", async () => {
  await using empty = await createEmptyDatabase();
  await using companies = await createCompanies(TODAY);
  await using opened = new AsyncDisposableStack();
  const database = opened.adopt(openDatabase(empty.connectionString), async (one) => await one.close());
  const dataDir = await mkdtemp(join(tmpdir(), "torikomi-doctor-"));
  opened.defer(async () => await rm(dataDir, { recursive: true }));
  const environment = {
    ...environmentOf(companies.world),
    DATABASE_URL: empty.connectionString,
    DATA_DIR: dataDir,
  };

  const { exit, out } = await runProgram(["doctor"], environment);

  assert.equal(exit, 1);
  assert.match(out, /^FAIL migrations: /m);
  assert.equal(await isCurrent(database.db), false);
});

test("explanations use the language of the shell", async () => {
  await using companies = await createLinkedCompanies(TODAY);
  const { world, admin } = companies;
  const { envelopeId } = await world.docusign.concludeEnvelope({ from: admin, to: [CUSTOMER] });
  await world.runJobs();

  const english = await runProgram(["explain", envelopeId], environmentOf(world));
  const japanese = await runProgram(["explain", envelopeId], {
    ...environmentOf(world),
    LANG: "ja_JP.UTF-8",
  });

  assert.match(english.out, /Imported: /);
  assert.match(japanese.out, /取り込みました。/);
});

test("an interrupted command finishes its running work, reports the interruption, and can be continued", async () => {
  await using companies = await createLinkedCompanies(TODAY);
  const { world, admin } = companies;
  const names = Array.from({ length: 30 }, (_, index) => `契約${index}`);
  for (const subject of names) await concludeUnheard(world, { from: admin, to: [CUSTOMER], subject });
  world.docusign.answerSlowly(200, "/envelopes/{envelopeId}/documents/{documentId}");
  const importing = Promise.withResolvers<void>();
  world.docusign.onNext("/envelopes/{envelopeId}/documents/{documentId}", importing.resolve);

  const child = startProgram(["reconcile"], { ...environmentOf(world), WORKER_CONCURRENCY: "4" });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  await importing.promise;
  child.kill("SIGINT");
  const [out, err, [exit]] = await ended;
  const between = (await world.contracts()).length;
  const next = await runProgram(["reconcile"], environmentOf(world));

  assert.deepEqual([exit, err], [75, ""]);
  assert.match(out, /interrupted/);
  assert.ok(between > 0 && between < names.length, String(between));
  assert.equal(next.exit, 0);
  assert.deepEqual(await subjects(world), names.toSorted());
  assert.equal(world.docusign.callsTo("/envelopes/{envelopeId}/documents/{documentId}").length, names.length);
});
