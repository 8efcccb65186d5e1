import { readFile } from "node:fs/promises";
import { createBrowser } from "../support/browser.ts";
import type { Person } from "../support/cabinet/people.ts";
import type { Ground } from "../support/trials/ground.ts";
import { createGround, TENANT } from "../support/trials/ground.ts";
import type { Program } from "../support/trials/program.ts";
import { until } from "../support/waiting.ts";
import { EVERY_SCOPE } from "../support/world.ts";
import { createChance } from "./chance.ts";
import { collectMessages, type Input, type Material, nextInput, type Visitor } from "./inputs.ts";
import { sendBytes, toBytes, type WireAnswer } from "./wire.ts";

export type Target = AsyncDisposable & {
  readonly ground: Ground;
  readonly program: Program;
  readonly material: Material;
};

export type Report = {
  readonly inputs: number;
  /** How often each family was answered with each status. */
  readonly answers: ReadonlyMap<string, number>;
  /** A broken promise with its input. */
  readonly problems: readonly string[];
  readonly slowestMs: number;
  /** Megabytes in memory after the first fifth, and at the end. */
  readonly memory: { readonly early: number; readonly late: number };
};

const TOKENS = 60;
const CONTRACTS = 4;

/** One `serve` in a process of its own, linked, with contracts in its cabinet, and with little room for a heap that grows. */
export async function openTarget(options: { adminUrl?: string; heapMb?: number } = {}): Promise<Target> {
  const { heapMb = 160, ...where } = options;
  const environment = { NODE_OPTIONS: `--max-old-space-size=${heapMb}` };
  const ground = await createGround({ ...where, environment, serves: 1, works: 1 });
  const { docusign, colleague, partner, admin, cabinet, linkId, programs } = ground;
  for (const to of [{ name: "客", email: "kyaku@example.com" }, partner])
    await docusign.concludeEnvelope({ from: colleague, to: [to] });
  await docusign.concludeEnvelope({ from: partner, to: [admin] });
  const name = "契約\r\nSet-Cookie: forged=1\u001b[31m";
  await docusign.concludeEnvelope({ from: colleague, subject: name, documents: [{ name: `${name}.pdf` }] });
  await until(async () => (await ground.get("/v1/contracts")).items.length === CONTRACTS, "the contracts");
  const worker = programs.get("work-1");
  worker?.kill("SIGTERM");
  await worker?.ending;
  const { items } = await ground.get("/v1/contracts");
  const tokens = async (tenantOf: (index: number) => string): Promise<string[]> =>
    await Promise.all(
      Array.from({ length: TOKENS }, async (_, index) => {
        const tenant = tenantOf(index);
        return await cabinet.token({ tenant, scope: EVERY_SCOPE, sub: `fuzz ${index}`, expiresIn: 36_000 });
      }),
    );
  const material = {
    linkId,
    messages: collectMessages(docusign),
    readers: await tokens(() => TENANT),
    writers: await tokens((index) => `other-${index}`),
    contracts: CONTRACTS,
    visitors: [
      await signIn(ground, { sub: "member", name: "社員", tenant: TENANT, role: "member" }),
      await signIn(ground, { sub: "stranger", name: "他社", tenant: "other-0", role: "owner" }),
    ],
    ids: [...items.map((item: any) => item.id), ...items.map((item: any) => item.source.envelopeId), linkId],
  };
  const program = programs.get("serve-1");
  if (program === undefined) throw new Error("no serve");
  return {
    ground,
    program,
    material,
    [Symbol.asyncDispose]: async () => await ground[Symbol.asyncDispose](),
  };
}

async function signIn({ cabinet, url }: Ground, person: Person): Promise<Visitor> {
  const browser = createBrowser();
  cabinet.nextSignIn(cabinet.addPerson(person));
  const { text } = await browser.get(`${url}/links`);
  const [, csrf] = /name="csrf" value="([^"]+)"/.exec(text) ?? [];
  if (csrf === undefined) throw new Error("nobody is signed in");
  const cookie = [...browser.cookies(url)].map(([name, value]) => `${name}=${value}`).join("; ");
  return { cookie, csrf, origin: url };
}

const AT_ONCE = 6;

/** Sends so many inputs of the seed's stream, several at once, and judges each answer and the process at the end. */
export async function fuzz(target: Target, wish: { inputs: number; seed: number }): Promise<Report> {
  const { program, material } = target;
  const chance = createChance(wish.seed);
  const answers = new Map<string, number>();
  const problems: string[] = [];
  let sent = 0;
  let slowestMs = 0;
  let early = 0;
  const sendRest = async (): Promise<void> => {
    while (sent < wish.inputs && program.ended === null && problems.length < 20) {
      sent += 1;
      const number = sent;
      if (number === Math.ceil(wish.inputs / 5)) early = await readMemory(program);
      const input = nextInput(material, chance);
      const answer = await send(program.port, input);
      slowestMs = Math.max(slowestMs, answer.ms);
      const key = `${input.family} ${answer.status ?? "hung up"}`;
      answers.set(key, (answers.get(key) ?? 0) + 1);
      const problem = judge(input, answer);
      if (problem !== null) problems.push(`input ${number} of seed ${wish.seed}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendRest));
  problems.push(...judgeProgram(program));
  const late = program.ended === null ? await readMemory(program) : Number.NaN;
  return { inputs: sent, answers, problems, slowestMs, memory: { early, late } };
}

async function send(port: number, input: Input): Promise<WireAnswer & { failure?: string }> {
  try {
    return await sendBytes(port, toBytes(input), { hangUp: input.isBroken });
  } catch (error) {
    return { status: null, text: String(error), ms: 0, failure: String(error) };
  }
}

function judge(input: Input, answer: WireAnswer & { failure?: string }): string | null {
  const shown = JSON.stringify({ ...input, body: input.body.toString("latin1") }).slice(0, 1_500);
  if (answer.failure !== undefined) return `${answer.failure}: ${shown}`;
  if (answer.status === null) return input.isBroken ? null : `no answer: ${shown}`;
  return answer.status >= 500 ? `${answer.status}: ${shown}\n${answer.text.slice(-300)}` : null;
}

/** It lives, and said nothing but lines of its log, of which none is an error and none was put there by an input. */
export function judgeProgram({ ended, noise, lines }: Program): string[] {
  return [
    ...(ended === null ? [] : [`the process ended with ${ended.status ?? ended.signal}`]),
    ...noise.slice(0, 5).map((line) => `no line of the log: ${line.slice(0, 300)}`),
    ...lines
      .filter(({ level, msg }) => level >= 50 || /forged/.test(msg))
      .slice(0, 5)
      .map((line) => `logged: ${JSON.stringify(line).slice(0, 1_000)}`),
  ];
}

/** Resident memory of the process, in megabytes. */
async function readMemory({ pid }: Program): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
}
