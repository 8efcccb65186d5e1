import type { Link } from "../store/links/links.ts";
import type { Uses } from "../usecases/capabilities.ts";
import { applyRecentTombstones } from "../usecases/deletions/apply-tombstones.ts";
import type { Progress } from "../usecases/operating/reconcile-now.ts";
import { type ReplayedLink, type ReplayUses, replayEvents } from "../usecases/operating/replay-events.ts";
import { EXIT, type ReplayCommand } from "./arguments.ts";
import { describeObstacle, formatCounts, titleOf } from "./format.ts";
import { chooseLinks } from "./links.ts";
import { type ProgressView, showProgress } from "./progress.ts";
import { printJson, printLine, type Terminal } from "./terminal.ts";

/** `torikomi replay`: re-runs the imports of recorded events. */
export async function runReplay(
  deps: ReplayUses & Uses<"publicUrl">,
  command: ReplayCommand,
  terminal: Terminal,
): Promise<number> {
  if (command.link !== null) await chooseLinks(deps.db, command.link);
  await applyRecentTombstones(deps);
  const replayed: ReplayedLink[] = [];
  using progress = followLinks(terminal, command.json);
  const options = { linkId: command.link, since: command.since, signal: terminal.signal };
  for await (const one of replayEvents(deps, { ...options, onProgress: progress.show })) {
    progress.endLink();
    replayed.push(one);
    if (!command.json) for (const line of linesOf(one)) printLine(terminal, line);
  }
  if (command.json) printJson(terminal, { links: replayed.map(toJson) });
  else if (replayed.length === 0) printLine(terminal, "no recorded event announces a completion");
  const isAll = !terminal.signal.aborted && replayed.every(({ obstacle }) => obstacle === null);
  return isAll ? EXIT.done : EXIT.notNow;
}

type LinksView = Disposable & {
  readonly show: (link: Link, progress: Progress) => void;
  readonly endLink: () => void;
};

/** Each link has its own progress view. */
function followLinks(terminal: Terminal, json: boolean): LinksView {
  let view: ProgressView | null = null;
  const endLink = (): void => {
    view?.[Symbol.dispose]();
    view = null;
  };
  return {
    show: (link, progress) => {
      view ??= showProgress(terminal, titleOf(link), json);
      view.show(progress);
    },
    endLink,
    [Symbol.dispose]: endLink,
  };
}

function linesOf({ link, announced, imports, waiting, obstacle }: ReplayedLink): string[] {
  return [
    titleOf(link),
    `  announced ${announced}: ${formatCounts(imports)}`,
    `  waiting   ${formatCounts(waiting)}`,
    ...(obstacle === null ? [] : [`  not all of it can be done now: ${describeObstacle(obstacle, link)}`]),
  ];
}

function toJson({ link, announced, imports, waiting, obstacle }: ReplayedLink): object {
  return { linkId: link.id, tenant: link.tenant, announced, outcomes: imports, waiting, notNow: obstacle };
}
