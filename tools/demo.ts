import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pino } from "pino";
import { createTorikomiClient, type TorikomiClient } from "../docs/client/torikomi-client.ts";
import { EXIT } from "../src/cli/arguments.ts";
import { SETTINGS } from "../src/config/settings.ts";
import { type Config, ConfigError, parseConfig } from "../src/config.ts";
import { startService } from "../src/service.ts";
import { type Browser, createBrowser } from "../test/support/browser.ts";
import { type Cabinet, startCabinet } from "../test/support/cabinet/cabinet.ts";
import { type DocuSignSimulator, startDocuSignSimulator } from "../test/support/docusign/simulator.ts";
import type { User } from "../test/support/docusign/state.ts";

/**
 * Everything on one machine: embedded PostgreSQL, a DocuSign, a cabinet to sign in at, and `torikomi all`. Links an
 * account, completes an envelope every few seconds for a while, and prints each contract as a service would read it.
 * With `--once` it ends by itself after that, with 1 if a contract did not arrive. `PORT` is the port of the service;
 * by default it is 3000, or any free port. `DATA_DIR` is kept afterwards; by default the data go with the demo.
 */
const ENVELOPES = 12;
const PAUSE_MS = 2_000;
const SCOPES = "contracts:read contracts:write groups:write links:read links:write";

const endsByItself = process.argv.includes("--once");
const stopping = new AbortController();
// Ctrl-C reaches the demo twice, from the terminal and from npm: the second must not end it before PostgreSQL has ended.
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => stopping.abort());
const interrupted = once(stopping.signal, "abort");

await using stack = new AsyncDisposableStack();
const port = await choosePort(process.env["PORT"] || null);
const keptDir = process.env["DATA_DIR"] || null;
const dataDir = keptDir ?? (await makeTemporaryDir());
const url = `http://127.0.0.1:${port}`;
const hmacKey = randomBytes(32).toString("base64");
const docusign = stack.use(
  await startDocuSignSimulator({
    clientId: "demo",
    clientSecret: "demo",
    hmacKeys: [hmacKey],
    validate: false,
  }),
);
const cabinet = stack.use(
  await startCabinet({ clientId: "page", clientSecret: "page", redirectUris: [`${url}/sign-in/callback`] }),
);
const service = await startService(
  readConfig({
    DATA_DIR: dataDir,
    HOST: "127.0.0.1",
    PORT: String(port),
    PUBLIC_URL: url,
    DOCUSIGN_OAUTH_URL: docusign.url,
    DOCUSIGN_CLIENT_ID: "demo",
    DOCUSIGN_CLIENT_SECRET: "demo",
    CONNECT_HMAC_KEYS: hmacKey,
    CABINET_ISSUER: cabinet.issuer,
    CABINET_CLIENT_ID: "page",
    CABINET_CLIENT_SECRET: "page",
  }),
  "all",
  { log: pino({ level: "warn" }, pino.destination(2)), now: () => new Date() },
);
stack.use(service);

const { tenant, token, client } = await chooseTenant();
const account = docusign.addAccount({ name: "株式会社デモ" });
const admin = docusign.addUser(account, { name: "連携 太郎", email: "admin@demo.example", role: "DS Admin" });
const colleague = docusign.addUser(account, {
  name: "営業 花子",
  email: "sales@demo.example",
  role: "DS Sender",
});
const feedEnd = await findFeedEnd();
await concludeContract(0, "連携前に締結した契約書");
await linkAccount(cabinet, docusign, admin);
explain();
const waits = await watchContracts();
if (waits.length > 0) {
  const longest = Math.max(...waits);
  print(
    `\n${waits.length} contracts; from event to readable contract: median ${median(waits)} ms, longest ${longest} ms.`,
  );
}
if (!endsByItself && !stopping.signal.aborted) {
  print("Everything stays up until Ctrl-C.");
  await interrupted;
}
// Its DocuSign goes now: a link that stays would fail at every hour of the next program that uses the directory.
if (keptDir !== null && (await isLinked(client))) await client.endLink();
await stack.disposeAsync();
process.exitCode = waits.length >= ENVELOPES || stopping.signal.aborted ? 0 : 1;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function refuse(problem: string): never {
  process.stderr.write(`demo: ${problem}\n`);
  process.exit(EXIT.config);
}

async function makeTemporaryDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "torikomi-demo-"));
  stack.defer(async () => await rm(folder, { recursive: true, force: true }));
  return folder;
}

function readConfig(environment: Readonly<Record<string, string>>): Config {
  try {
    return parseConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) refuse(error.message);
    throw error;
  }
}

/** A demo that was killed leaves its link in `DATA_DIR`, without its DocuSign; the next demo links another tenant. */
async function chooseTenant(): Promise<{ tenant: string; token: string; client: TorikomiClient }> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? "demo" : `demo-${number}`;
    const issued = await cabinet.token({
      tenant: name,
      scope: SCOPES,
      sub: "owner",
      expiresIn: 12 * 60 * 60,
    });
    const api = createTorikomiClient({ url, token: () => issued });
    if (!(await isLinked(api))) return { tenant: name, token: issued, client: api };
  }
}

async function isLinked(api: TorikomiClient): Promise<boolean> {
  const { items } = await api.listLinks({ limit: 1 });
  return items.some(({ state }) => state !== "ended");
}

/** The contracts of earlier demos are not this one's. */
async function findFeedEnd(): Promise<number | undefined> {
  let after: number | undefined;
  for (;;) {
    const { items, next } = await client.listChanges({ after });
    if (items.length === 0) return after;
    after = next;
  }
}

/** The way an owner goes: choose a group, log in at DocuSign, come back signed in at the cabinet. */
async function linkAccount(at: Cabinet, by: DocuSignSimulator, user: User): Promise<void> {
  const owner = at.addPerson({ sub: "owner", name: "契約 管理者", tenant, role: "owner" });
  at.addPerson({ sub: "member", name: "一般 社員", tenant, role: "member" });
  await client.putGroup({ id: "sales", body: { name: "営業部の契約書" } });
  await client.putGroup({ id: "legal", body: { name: "法務部の契約書" } });
  const browser: Browser = createBrowser();
  at.nextSignIn(owner);
  await browser.get(`${url}/sign-in?return_to=/healthz`);
  const { authorizationUrl } = await client.beginLinking({ body: { groupId: "sales" } });
  const returned = await browser.get(await by.authorize(authorizationUrl, user));
  assert.ok(
    returned.trail.some((address) => address.includes("result=linked")),
    `linking ended at ${returned.url}`,
  );
}

async function concludeContract(number: number, subject: string): Promise<void> {
  await docusign.concludeEnvelope({
    from: colleague,
    to: [{ name: "取引先 次郎", email: "jiro@customer.example" }],
    subject,
    documents: [{ name: `業務委託契約書 ${number}.docx` }],
  });
}

function explain(): void {
  print(`torikomi runs on one machine: PostgreSQL, documents in files, DocuSign and the cabinet played by this program.

  the page       ${url}/links        (sign in as 契約 管理者, who may change, or 一般 社員, who may look)
  the API        ${url}/openapi.json
  DocuSign       ${docusign.url}
  health         ${url}/readyz   ${url}/metrics
  data           ${keptDir === null ? "removed at the end" : resolve(keptDir)}

  export TOKEN=${token}
  curl -H "Authorization: Bearer $TOKEN" ${url}/v1/contracts
  curl -H "Authorization: Bearer $TOKEN" ${url}/v1/link
  curl -H "Authorization: Bearer $TOKEN" "${url}/v1/changes?wait=30"

An envelope is completed every ${PAUSE_MS / 1000} seconds, ${ENVELOPES} in all:
`);
}

/** Follows the change feed as a cabinet service does, and times each contract from its envelope's completion. */
async function watchContracts(): Promise<number[]> {
  const completedAt = new Map<string, number>();
  const waits: number[] = [];
  let after = feedEnd;
  const sending = completeEnvelopes(completedAt);
  const deadline = Date.now() + 60_000;
  while (waits.length < ENVELOPES && Date.now() < deadline && !stopping.signal.aborted) {
    const { items, next } = await client.listChanges({ after, wait: 1 });
    after = next;
    for (const item of items) {
      if (!("contract" in item)) continue;
      const { contract } = item;
      const since = completedAt.get(contract.source.subject ?? "");
      const wait = since === undefined ? null : Date.now() - since;
      if (wait !== null) waits.push(wait);
      print(
        `${contract.concludedOn}  ${contract.fileName}  ${contract.bytes} bytes  ${wait === null ? "(found at linking)" : `${wait} ms`}`,
      );
      print(`  curl -H "Authorization: Bearer $TOKEN" -OJ ${url}/v1/contracts/${contract.id}/document`);
    }
  }
  await sending;
  return waits;
}

async function completeEnvelopes(completedAt: Map<string, number>): Promise<void> {
  for (let number = 1; number <= ENVELOPES; number += 1) {
    const subject = `契約 ${number}`;
    completedAt.set(subject, Date.now());
    await concludeContract(number, subject);
    const gone = await Promise.race([
      interrupted.then(() => true),
      new Promise((resolve) => setTimeout(resolve, PAUSE_MS, false)),
    ]);
    if (gone === true) return;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function choosePort(given: string | null): Promise<number> {
  if (given === null)
    return (await findFreePort(3000)) ?? (await findFreePort(0)) ?? refuse("no port is free");
  const { data, error } = SETTINGS.shape.port.safeParse(given);
  if (data === undefined) refuse(`PORT ${error?.issues[0]?.message ?? "is not a port"}`);
  return (await findFreePort(data)) ?? refuse(`PORT ${data} is not available`);
}

/** The wanted port, or null if it is taken; 0 finds any. */
async function findFreePort(wanted: number): Promise<number | null> {
  const server = createServer();
  const chosen = await new Promise<number | null>((resolve) => {
    server.once("error", () => resolve(null));
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : null);
    });
  });
  if (chosen !== null) await new Promise((resolve) => server.close(resolve));
  return chosen;
}
