import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { type DocuSignSimulator, startDocuSignSimulator } from "../support/docusign/simulator.ts";
import type { User } from "../support/docusign/state.ts";
import { findFreePort } from "../support/free-port.ts";

const KEY = "a key of the developer account";
const PROGRAM = join(import.meta.dirname, "../../tools/live-check/live-check.ts");

test("the live check compares every assumption with DocuSign, by at most 30 calls, and keeps nothing that names people", async () => {
  await using stack = new AsyncDisposableStack();
  const docusign = stack.use(
    await startDocuSignSimulator({ clientId: "live", clientSecret: "secret", hmacKeys: [KEY] }),
  );
  const output = await mkdtemp(join(tmpdir(), "torikomi-live-check-"));
  stack.defer(async () => await rm(output, { recursive: true }));
  const account = docusign.addAccount({ name: "株式会社甲" });
  const admin = docusign.addUser(account, { name: "山田", email: "yamada@kou.example", role: "DS Admin" });
  const conclude = async (): Promise<unknown> =>
    await docusign.concludeEnvelope({
      from: admin,
      to: [{ name: "乙", email: "otsu@example.com" }],
      subject: "業務委託契約書",
    });
  await conclude();

  const { exit, lines } = await check(docusign, { output, admin, conclude });

  const rows = lines.filter((line) => line.startsWith("| ")).slice(1);
  assert.deepEqual(
    rows.filter((line) => !/ \| (?:as assumed|open) \|$/.test(line)),
    [],
  );
  assert.ok(rows.length > 15);
  assert.equal(exit, 0);
  const calls = Number(/^(\d+) calls/.exec(lines.at(-1) ?? "")?.[1]);
  assert.equal(calls, docusign.calls.filter(({ template }) => template !== "/oauth/auth").length);
  assert.ok(calls <= 30);
  const stored = await Promise.all(
    (await readdir(output)).map(async (file) => await readFile(join(output, file), "utf8")),
  );
  assert.ok(stored.length > 20);
  assert.doesNotMatch(stored.join(""), /山田|乙|甲|業務委託|yamada|otsu|kou\.example/);
  assert.doesNotMatch(stored.join(""), new RegExp(`${account.accountId}|${admin.userId}`, "i"));
});

type Play = { readonly output: string; readonly admin: User; conclude(): Promise<unknown> };

/** Runs the program, and plays the person who logs in and completes an envelope. */
async function check(
  docusign: DocuSignSimulator,
  { output, admin, conclude }: Play,
): Promise<{ exit: number; lines: string[] }> {
  const port = await findFreePort();
  const site = `http://127.0.0.1:${port}`;
  const program = spawn(
    process.execPath,
    [PROGRAM, "--port", String(port), "--public-url", site, "--output", output],
    {
      env: {
        DOCUSIGN_OAUTH_URL: docusign.url,
        DOCUSIGN_CLIENT_ID: "live",
        DOCUSIGN_CLIENT_SECRET: "secret",
        CONNECT_HMAC_KEYS: KEY,
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ended = once(program, "exit");
  const lines: string[] = [];
  for await (const line of createInterface({ input: program.stdout })) {
    lines.push(line);
    if (line.startsWith(docusign.url)) await fetch(await docusign.authorize(line, admin));
    if (line.startsWith("Complete an envelope")) await conclude();
  }
  const [exit] = await ended;
  return { exit, lines };
}
