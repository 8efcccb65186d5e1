import type { Call } from "../support/docusign/exchange.ts";
import type { Failure } from "../support/docusign/faults.ts";
import type { MoveOf } from "./moves.ts";
import { hourOf, pickOf, type Stage, tell } from "./stage.ts";

const FAILURES: Readonly<Record<"500" | "429" | "html", Failure>> = {
  "500": { status: 500 },
  "429": { status: 429 },
  html: { status: 200, html: "<html><body>Service unavailable</body></html>" },
};

/** Some of the calls to come go wrong at DocuSign, after some that do not. */
export function playWeather(stage: Stage, { fault, calls, skipped }: MoveOf<"weather">): void {
  const { docusign } = stage.world;
  tell(stage, `DocuSign will answer ${calls} calls with ${fault}, after ${skipped} others`);
  if (fault === "truncated" || fault === "no PDF") return spoilDownload(stage, fault);
  docusign.failNext(
    calls,
    FAILURES[fault],
    after(skipped, () => stage.weather.isBad),
  );
}

/** Each call is counted once, however many failures ask about it. */
function after(skipped: number, counts: () => boolean): (call: Call) => boolean {
  const seen = new Set<Call>();
  return (call) => counts() && seen.add(call).size > skipped;
}

function spoilDownload({ world: { docusign } }: Stage, fault: "truncated" | "no PDF"): void {
  if (fault === "truncated") docusign.truncateNextDownload();
  else docusign.serveNextDownloadAs("<html>not a document</html>");
}

/** The account's calls are refused for a time. */
export function playSqueeze(stage: Stage, { account: number, minutesLong }: MoveOf<"squeeze">): void {
  const { world, cast, squeezedUntil } = stage;
  const account = pickOf(cast.accounts, number);
  const until = new Date(world.clock.now.getTime() + minutesLong * 60_000);
  tell(stage, `DocuSign refuses calls to ${account.name} for ${minutesLong} minutes`);
  world.docusign.throttle(account, until);
  squeezedUntil.set(account.accountId, until);
}

/** Other integrations of the customer call DocuSign too. */
export function playSpend(stage: Stage, { account: number, calls }: MoveOf<"spend">): void {
  const { world, cast, spent, plan } = stage;
  if (plan.hourly === null) return;
  const account = pickOf(cast.accounts, number);
  tell(stage, `other integrations spend ${calls} of ${plan.hourly} calls to ${account.name}`);
  world.docusign.spendCalls(account, calls);
  const hour = hourOf(world.clock.now);
  const before = spent.get(account.accountId);
  spent.set(account.accountId, { hour, calls: calls + (before?.hour === hour ? before.calls : 0) });
}
