import { randomUUID } from "node:crypto";
import { type Browser, createBrowser } from "../../test/support/browser.ts";
import { CUSTOMER, createLinkedCompanies, subjects } from "../../test/support/linked-world.ts";
import { createTestDatabase, startTestServer } from "../../test/support/postgres.ts";
import type { World } from "../../test/support/world.ts";

// Repeats an attack on the loopback interface: a reader looks up envelopes until the account has no calls left. Ends with
// status 1 if it costs more than 60 calls, or if an import has to wait for it.

const LOOK_UPS = 300;
const PAGE_LOADS = 100;
const AT_ONCE = 20;
const MOST_CALLS = 60;

await using server = await startTestServer();
await using companies = await createLinkedCompanies({ database: await createTestDatabase(server.adminUrl) });
const { world, admin, account } = companies;
const callsBefore = callsToAccount();
const token = await world.cabinet.token({ tenant: "tenant-1", scope: "links:read" });
const member = await signIn(world);
const start = performance.now();

const lookedUp = await repeat(LOOK_UPS, async () => {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${world.url}/v1/envelopes/${randomUUID()}`, { headers })).status;
});
const loaded = await repeat(
  PAGE_LOADS,
  async () => (await member.get(`${world.url}/links?envelope=${randomUUID()}`)).status,
);
const calls = callsToAccount() - callsBefore;
await world.docusign.concludeEnvelope({ from: admin, to: [CUSTOMER], subject: "imported meanwhile" });
await world.runJobs();
const isImported = (await subjects(world)).includes("imported meanwhile");

print(`${LOOK_UPS} look-ups by API: ${countOf(lookedUp)}`);
print(`${PAGE_LOADS} page loads with a look-up: ${countOf(loaded)}`);
print(`took ${Math.round(performance.now() - start)} ms, and ${calls} calls to DocuSign`);
print(`an envelope concluded then was ${isImported ? "imported" : "NOT imported"}`);
process.exitCode = calls <= MOST_CALLS && isImported ? 0 : 1;

function callsToAccount(): number {
  return world.docusign.calls.filter(({ accountId }) => accountId === account.accountId).length;
}

async function signIn({ cabinet, url }: World): Promise<Browser> {
  const browser = createBrowser();
  cabinet.nextSignIn(cabinet.addPerson({ sub: "member", name: "社員", tenant: "tenant-1", role: "member" }));
  await browser.get(`${url}/links`);
  return browser;
}

/** Runs the work so many times, a few at once, and returns its results. */
async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  while (results.length < times)
    results.push(
      ...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, times - results.length) }, work))),
    );
  return results;
}

function countOf(statuses: readonly number[]): string {
  const counts = Map.groupBy(statuses, (status) => status);
  return Array.from(counts, ([status, all]) => `${all.length} times ${status}`).join(", ");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
