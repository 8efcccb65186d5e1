import { SingleBar } from "cli-progress";
import type { Progress } from "../usecases/operating/reconcile-now.ts";
import { printLine, type Terminal } from "./terminal.ts";

/** Shows the progress of a command with one link. Disposing of it removes the bar. */
export type ProgressView = Disposable & { readonly show: (progress: Progress) => void };

/** A bar on a terminal, plain lines elsewhere, nothing with `--json`. */
export function showProgress(terminal: Terminal, title: string, json: boolean): ProgressView {
  if (json) return { show: () => {}, [Symbol.dispose]: () => {} };
  return terminal.isTerminal ? showBar(terminal, title) : showLines(terminal, title);
}

const FORMAT = "{title}: {phase} [{bar}] {value}/{goal}";

function showBar({ stream }: Terminal, title: string): ProgressView {
  const bar = new SingleBar({ stream, format: FORMAT, clearOnComplete: true, hideCursor: true });
  return {
    show: (progress) => {
      const { value, total, goal } = measure(progress);
      if (!bar.isActive) bar.start(total, value, { title, phase: progress.phase, goal });
      bar.setTotal(total);
      bar.update(value, { title, phase: progress.phase, goal });
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}

/** The number of listed envelopes is known only at the end. */
function measure(progress: Progress): { value: number; total: number; goal: string } {
  if (progress.phase === "importing")
    return { value: progress.done, total: progress.total, goal: String(progress.total) };
  return { value: progress.listed, total: progress.listed + 1, goal: "?" };
}

const LINE_EVERY = 100;

function showLines(terminal: Terminal, title: string): ProgressView {
  let last = "";
  return {
    show: (progress) => {
      const line = progressLine(progress);
      if (line === null || line === last) return;
      last = line;
      printLine(terminal, `${title}: ${line}`);
    },
    [Symbol.dispose]: () => {},
  };
}

function progressLine(progress: Progress): string | null {
  if (progress.phase === "listing") return `listed ${progress.listed}`;
  const { done, total } = progress;
  return done % LINE_EVERY === 0 || done === total ? `imports: ${done} of ${total}` : null;
}

/** Shows how much of a known total is done: a bar on a terminal, nothing elsewhere. Disposing of it removes the bar. */
export type CountView = Disposable & { readonly show: (done: number, total: number) => void };

export function showCount({ isTerminal, stream }: Terminal, title: string): CountView {
  if (!isTerminal) return { show: () => {}, [Symbol.dispose]: () => {} };
  const format = `${title} [{bar}] {value}/{total}`;
  const bar = new SingleBar({ stream, format, clearOnComplete: true, hideCursor: true });
  return {
    show: (done, total) => {
      if (!bar.isActive) bar.start(total, done);
      bar.setTotal(total);
      bar.update(done);
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}
