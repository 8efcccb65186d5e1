import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

export type Child = AsyncDisposable & {
  readonly pid: number;
  /** Has the child do something and gives its answer; rejects with what went wrong there, or when it ends before. */
  ask<Answer = void>(verb: string, wish?: unknown): Promise<Answer>;
};

type Question = { readonly id: number; readonly verb: string; readonly wish: unknown };
type Reply = { readonly id: number; readonly answer?: unknown; readonly problem?: string };

/** A program of the bench in a process of its own, so that it shares no event loop with what is measured. */
export async function startChild(
  program: string,
  args: readonly string[] = [],
  execArgv: readonly string[] = [],
): Promise<Child> {
  const process = fork(new URL(program, import.meta.url), [...args], {
    execArgv: [...execArgv],
    serialization: "advanced",
  });
  const waiting = new Map<number, { resolve: (answer: any) => void; reject: (error: Error) => void }>();
  process.on("message", ({ id, answer, problem }: Reply) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (problem === undefined) one?.resolve(answer);
    else one?.reject(new Error(`${program}: ${problem}`));
  });
  process.once("exit", (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${program} ended with ${code}`));
  });
  const child: Child = {
    pid: process.pid ?? 0,
    ask: (verb, wish) => {
      const { promise, resolve, reject } = Promise.withResolvers<any>();
      const id = waiting.size === 0 ? 0 : Math.max(...waiting.keys()) + 1;
      waiting.set(id, { resolve, reject });
      process.send({ id, verb, wish } satisfies Question);
      return promise;
    },
    [Symbol.asyncDispose]: async () => await end(process),
  };
  await child.ask("ready");
  return child;
}

async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const ended = once(process, "exit");
  process.disconnect();
  await ended;
}

/** The child's side: answers by the verbs until its parent goes, then ends by itself once `close` is through. */
export function serveParent(
  verbs: Record<string, (wish: any) => unknown>,
  close: () => Promise<void> = async () => {},
): void {
  const answer = async ({ id, verb, wish }: Question): Promise<Reply> => {
    try {
      if (verb === "ready") return { id };
      const act = verbs[verb];
      if (act === undefined) return { id, problem: `no verb ${verb}` };
      return { id, answer: await act(wish) };
    } catch (error) {
      return { id, problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
  process.on("message", (question: Question) => void answer(question).then((reply) => process.send?.(reply)));
  process.once("disconnect", () => void close().finally(() => process.exit()));
}
