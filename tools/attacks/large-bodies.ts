import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { sql } from "kysely";
import { openDatabase } from "../../src/store/database.ts";
import { minimalEvent, sign } from "../../test/support/connect.ts";
import { createTestDatabase, startTestServer } from "../../test/support/postgres.ts";
import { type Program, startProgram } from "../../test/support/trials/program.ts";
import { HMAC_KEYS } from "../../test/support/world.ts";

// Repeats an attack on the loopback interface: 200 bodies of 31 MiB with a wrong signature arrive at once. The last byte
// of each is held back and then released together. Ends with status 1 if the process takes 512 MiB or more, or if more
// than 1% of the small signed events of that time wait longer than a second for their 200.

const BODIES = 200;
const BODY_BYTES = 31 * 1024 * 1024;
/** Until all last bytes are released. Bodies that pause for 5 seconds are refused. */
const HOLD_MS = 4_000;
const EVENTS_PER_SECOND = 50;
const PROMISED = { memoryMiB: 512, withinMs: 1_000, share: 0.99 };

const CHUNK = Buffer.alloc(64 * 1024, "A");

type Attack = { readonly port: number; readonly linkId: string };

if (isMainThread) await run();
else parentPort?.postMessage(await attack(workerData));

async function run(): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const { program, linkId } = await startReceiver(opened);
  const target = { port: program.port, linkId };
  const small = startEvents(target);
  const memory = startSampling(program);
  await pause(2_000);
  const idle = memory.peak();

  const start = performance.now();
  const attacker = new Worker(new URL(import.meta.url), { workerData: target });
  const [answers] = await once(attacker, "message");
  const seconds = (performance.now() - start) / 1000;
  await pause(2_000);
  const times = (await small.end()).sort((one, other) => one - other);
  const peak = await memory.end();

  const inTime = times.filter((ms) => ms <= PROMISED.withinMs).length / times.length;
  print(`${BODIES} bodies of 31 MiB in ${seconds.toFixed(1)} s: ${answers}`);
  print(`memory of the process: ${idle} MiB before, at most ${peak} MiB`);
  print(`${times.length} small signed events: ${(inTime * 100).toFixed(2)}% got 200 within a second;`);
  print(`half within ${percentile(times, 0.5)} ms, 99% within ${percentile(times, 0.99)} ms`);
  process.exitCode = peak < PROMISED.memoryMiB && inTime >= PROMISED.share ? 0 : 1;
}

/** A `serve` process with an active link. */
async function startReceiver(opened: AsyncDisposableStack): Promise<{ program: Program; linkId: string }> {
  const server = opened.use(await startTestServer());
  const { connectionString } = opened.use(await createTestDatabase(server.adminUrl));
  const linkId = await addLink(connectionString);
  const dataDir = await mkdtemp(join(tmpdir(), "torikomi-attack-"));
  opened.defer(async () => await rm(dataDir, { recursive: true, force: true }));
  const program = await startProgram("serve", "serve", {
    DATABASE_URL: connectionString,
    DATA_DIR: dataDir,
    HOST: "127.0.0.1",
    PORT: "0",
    DOCUSIGN_CLIENT_ID: "attack",
    DOCUSIGN_CLIENT_SECRET: "attack",
    CONNECT_HMAC_KEYS: HMAC_KEYS.join(","),
  });
  opened.defer(async () => {
    program.kill("SIGTERM");
    await program.ending;
  });
  return { program, linkId };
}

async function addLink(connectionString: string): Promise<string> {
  const { db, close } = openDatabase(connectionString);
  const linkId = randomUUID();
  await sql`insert into cabinet_group (tenant, id, name, created_at) values ('t', 'g', '契約書', now())`.execute(
    db,
  );
  await sql`insert into link (id, tenant, group_id, state, account_id, account_name, base_uri, user_id, user_name,
      linked_at, approval, connect_sent, connect_received)
    values (${linkId}, 't', 'g', 'active', gen_random_uuid(), '甲', 'http://127.0.0.1', gen_random_uuid(), '山田',
      now(), 'not-needed', 'active', 'active')`.execute(db);
  await close();
  return linkId;
}

/** Sends signed events at a steady rate until `end`, which returns the milliseconds of each; infinite without a 200. */
function startEvents({ port, linkId }: Attack): { end(): Promise<number[]> } {
  const agent = new Agent({ keepAlive: true });
  const sent: Promise<number>[] = [];
  const send = async (): Promise<number> => {
    const body = minimalEvent({ event: "envelope-sent" });
    const headers = {
      "X-DocuSign-Signature-1": sign(body, HMAC_KEYS[0] ?? ""),
      "Content-Length": body.length,
    };
    const begun = performance.now();
    const posting = request({
      port,
      host: "127.0.0.1",
      method: "POST",
      path: `/connect/${linkId}`,
      headers,
      agent,
    });
    posting.end(body);
    const [response] = await once(posting, "response");
    response.resume();
    await once(response, "end");
    return response.statusCode === 200 ? Math.round(performance.now() - begun) : Number.POSITIVE_INFINITY;
  };
  const timer = setInterval(
    () => sent.push(send().catch(() => Number.POSITIVE_INFINITY)),
    1_000 / EVENTS_PER_SECOND,
  );
  return {
    async end() {
      clearInterval(timer);
      const times = await Promise.all(sent);
      agent.destroy();
      return times;
    },
  };
}

function startSampling(program: Program): { peak(): number; end(): Promise<number> } {
  const state = { peak: 0, isOver: false };
  const sample = async (): Promise<void> => {
    while (!state.isOver && program.ended === null) {
      const status = await readFile(`/proc/${program.pid}/status`, "utf8");
      state.peak = Math.max(state.peak, Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024));
      await pause(20);
    }
  };
  const sampling = sample();
  return {
    peak: () => state.peak,
    async end() {
      state.isOver = true;
      await sampling;
      return state.peak;
    },
  };
}

/** Runs in a thread of its own, so that it delays no event. Returns how often each answer came. */
async function attack(target: Attack): Promise<string> {
  const release = pause(HOLD_MS);
  const answers = await Promise.all(
    Array.from({ length: BODIES }, async () => await sendBody(target, release)),
  );
  const counts = Map.groupBy(answers, (answer) => answer);
  return Array.from(counts, ([answer, all]) => `${all.length} times ${answer}`).join(", ");
}

async function sendBody({ port, linkId }: Attack, release: Promise<void>): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  let rest = BODY_BYTES - 1;
  const fill = (): void => {
    while (rest > 0 && text === "" && !socket.destroyed) {
      const part = CHUNK.subarray(0, rest);
      rest -= part.length;
      if (!socket.write(part)) return;
    }
  };
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.on("data", (piece) => (text += String(piece)));
  // The receiver ends the connection of a body that it refuses.
  socket.on("error", () => {});
  socket.on("close", () => resolve());
  socket.on("drain", fill);
  socket.write(
    `POST /connect/${linkId} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${BODY_BYTES}\r\n` +
      `X-DocuSign-Signature-1: ${sign(randomUUID(), "a wrong key")}\r\n\r\n`,
  );
  fill();
  await Promise.race([release, closed]);
  socket.write("A");
  await closed;
  return /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? "no answer";
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
