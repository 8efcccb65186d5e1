/** Mutants of a line that no test can or need object to, and why. */
export type Explained = {
  readonly file: string;
  /** The first line of the code that is changed. */
  readonly line: string;
  /** By the code that is changed: what mutants make of it. */
  readonly changes: Readonly<Record<string, readonly string[]>>;
  readonly because: string;
};

const NEVER_READ = "TypeScript asks for a default; a moment's ISO text always has both parts.";
const LIKENESS = "Callers only ask for “same” and “different”: any other word is “unknown”.";
const NEVER_REMOVED = "Links are never removed: the type says what every search may say.";
const ALL_ENDED =
  "A link is made where none is current: all others have ended, which their type does not say.";
const IMPOSSIBLE = "It cannot come to this: the types allow what the code before it does not.";
const PACED = "Paced are first imports, and persons are not: any other kind is one.";

const ONE_RENEWAL =
  "It saves a transaction: who asks while another renews waits for the link's row, and finds the new tokens there.";

const EVENT_OR_NOT = "Only one of the two words is asked for: any other counts as its opposite.";
const NOBODY_WAITS = "Longer, or more, than a test waits for or makes; one more or less comes to the same.";
const NO_PAUSE = "A pause until null is none.";

/** Survivors that were looked at one by one. One that is not listed fails the run. */
export const EXPLAINED: readonly Explained[] = [
  {
    file: "src/domain/explanation-en.ts",
    line: 'const [date = "", time = ""] = new Date(iso).toISOString().split("T");',
    changes: {
      '""': ['"Stryker was here!"'],
    },
    because: NEVER_READ,
  },
  {
    file: "src/domain/japan-time.ts",
    line: 'const [date = "", time = ""] = local.toISOString().split("T");',
    changes: {
      '""': ['"Stryker was here!"'],
    },
    because: NEVER_READ,
  },
  {
    file: "src/domain/forwarded-places.ts",
    line: "const unplaced: { transfer: Transfer; group: string | null }[] = [];",
    changes: {
      "[]": ['["Stryker was here"]'],
    },
    because: "A text among the forwardings, which the types forbid, matches no entry's group.",
  },
  {
    file: "src/domain/forwarded-places.ts",
    line: "if (copy !== undefined && !held.has(transfer)) forwarded.set(copy, transfer);",
    changes: {
      "copy !== undefined": ["true"],
    },
    because: "A forwarding under no entry is looked up by nobody: entries are asked for, never listed.",
  },
  {
    file: "src/domain/forwarding.ts",
    line: 'if (one.id === null || other.id === null) return "unknown";',
    changes: {
      '"unknown"': ['""'],
    },
    because: LIKENESS,
  },
  {
    file: "src/domain/forwarding.ts",
    line: 'return isGuid(one.id) === isGuid(other.id) ? "different" : "unknown";',
    changes: {
      '"unknown"': ['""'],
    },
    because: LIKENESS,
  },
  {
    file: "src/domain/forwarding.ts",
    line: "(one) => one !== taker && one.group === taker.group && isSamePerson(one, delegator),",
    changes: {
      "one !== taker": ["true"],
    },
    because: "Where the taker is the delegator, the forwarding is one to oneself, which is none.",
  },
  {
    file: "src/domain/forwarding.ts",
    line: "const others = recipients.filter((one) => one !== taker.entry && !isSamePerson(one, taker.person));",
    changes: {
      "one !== taker.entry": ["true"],
    },
    because: "Only an entry that names nobody differs from its taker, and nobody gave nothing.",
  },
  {
    file: "src/domain/forwarding.ts",
    line: "return (isNamed(from.person) || isNamed(to.person)) && !isSamePerson(from.person, to.person);",
    changes: {
      "isNamed(from.person) || isNamed(to.person)": ["true"],
    },
    because: "A forwarding from nobody to nobody is no linked user's, and is like no other.",
  },
  {
    file: "src/domain/forwarding.ts",
    line: "return id?.trim().toLowerCase() || null;",
    changes: {
      "id?.trim().toLowerCase()": ["id?.trim().toUpperCase()"],
    },
    because: "Ids are numbers and GUIDs, which are the same ones in either case.",
  },
  {
    file: "src/domain/forwarding.ts",
    line: "return parseUuid(id) !== null;",
    changes: {
      "parseUuid(id) !== null": ["parseUuid(id) === null"],
    },
    because: "Two answers are compared with each other: both the other way round are as equal as before.",
  },
  {
    file: "src/domain/ownership.ts",
    line: 'return receipt?.kind === "forwarded" ? "forwarded-to-user" : "not-ours";',
    changes: {
      "receipt?.kind": ["receipt.kind"],
    },
    because:
      "Without recipients it is not known that the user received nothing, so that this is not reached.",
  },
  {
    file: "src/usecases/account/access-tokens.ts",
    line: "if (stored !== null && isUsable(stored, stale, deps.now())) return stored.accessToken;",
    changes: {
      "stored !== null && isUsable(stored, stale, deps.now())": ["false"],
    },
    because: ONE_RENEWAL,
  },
  {
    file: "src/usecases/account/access-tokens.ts",
    line: "if (running !== undefined) return await running;",
    changes: {
      "running !== undefined": ["false"],
    },
    because: ONE_RENEWAL,
  },
  {
    file: "src/usecases/account/access-tokens.ts",
    line: "underWay.set(linkId, renewal);",
    changes: {
      "underWay.set(linkId, renewal);": [";"],
    },
    because: ONE_RENEWAL,
  },
  {
    file: "src/usecases/account/access-tokens.ts",
    line: 'throw new DocuSignFault("authorization-gone", "tokens-sealed", { refused: "tokens" });',
    changes: {
      '{ refused: "tokens" }': ["{}"],
      '"tokens"': ['""'],
    },
    because:
      "Who asks whether the user still is an admin instead needs the same tokens, and comes to the same.",
  },
  {
    file: "src/usecases/account/access-tokens.ts",
    line: 'if (stored === null) throw new DocuSignFault("authorization-gone", "link-ended", { refused: "tokens" });',
    changes: {
      '{ refused: "tokens" }': ["{}"],
      '"tokens"': ['""'],
    },
    because: "Of a link that has ended nothing is stopped, whatever was refused.",
  },
  {
    file: "src/usecases/account/call-budgets.ts",
    line: 'const paces = `${paceOf(accountId, "first-import").kind} ${paceOf(accountId, "other").kind}`;',
    changes: {
      '"other"': ['""'],
    },
    because: PACED,
  },
  {
    file: "src/usecases/account/call-budgets.ts",
    line: 'if (until !== null && until > now()) return { kind: "wait", until };',
    changes: {
      "until !== null": ["true"],
    },
    because: "Null is after no moment.",
  },
  {
    file: "src/usecases/keeping/erase-orphans.ts",
    line: "if (keys.length < STEP) continue;",
    changes: {
      "keys.length < STEP": ["true", "false", "keys.length >= STEP", "keys.length <= STEP"],
    },
    because: "Fewer are asked about at once, which takes longer and comes to the same.",
  },
  {
    file: "src/usecases/account/access-tokens.ts",
    line: "for (let attempt = 1; ; attempt += 1) {",
    changes: {
      "attempt += 1": ["attempt -= 1"],
    },
    because: NOBODY_WAITS,
  },
  {
    file: "src/usecases/account/access-tokens.ts",
    line: "if (attempt === KEEP_ATTEMPTS || !isUnavailable(error)) throw error;",
    changes: {
      "attempt === KEEP_ATTEMPTS": ["false"],
    },
    because: NOBODY_WAITS,
  },
  {
    file: "src/usecases/account/call-budgets.ts",
    line: "if (hour !== otherHour) return hour > otherHour ? one : other;",
    changes: {
      "hour > otherHour": ["hour >= otherHour"],
    },
    because: "The two differ here.",
  },
  {
    file: "src/usecases/account/call-budgets.ts",
    line: "return { ...budget, remaining: budget.remaining === null ? null : budget.remaining - calls };",
    changes: {
      "budget.remaining === null": ["false"],
    },
    because: "Only budgets that are told are kept: the type says more.",
  },
  {
    file: "src/usecases/linking/last-look.ts",
    line: "const current = (await findLink(deps.db, link.id)) ?? link;",
    changes: {
      "(await findLink(deps.db, link.id)) ?? link": ["(await findLink(deps.db, link.id)) && link"],
    },
    because:
      "What changes meanwhile is how far the link has come, which a run that begins earlier covers too.",
  },
  {
    file: "src/usecases/linking/last-look.ts",
    line: "if (run === null) return false;",
    changes: {
      "run === null": ["false"],
    },
    because: "The run was begun a moment ago, by who is alone with the link.",
  },
  {
    file: "src/usecases/linking/describe-link.ts",
    line: "return cause === null ? null : { code: cause, message: MESSAGES[cause] };",
    changes: {
      "cause === null": ["false"],
    },
    because: "A link in error has a cause, which its type does not say.",
  },
  {
    file: "src/usecases/keeping/erase-orphans.ts",
    line: "if (orphans.length >= MOST_AT_ONCE) break;",
    changes: {
      "orphans.length >= MOST_AT_ONCE": ["false", "orphans.length > MOST_AT_ONCE"],
    },
    because: NOBODY_WAITS,
  },
  {
    file: "src/usecases/keeping/erase-orphans.ts",
    line: "if (orphans.length > PLAUSIBLE && orphans.length > examined * PLAUSIBLE_SHARE) {",
    changes: {
      "orphans.length > examined * PLAUSIBLE_SHARE": ["orphans.length >= examined * PLAUSIBLE_SHARE"],
    },
    because: "At the very border of what is believed either is right.",
  },
  {
    file: "src/usecases/keeping/erase-orphans.ts",
    line: "if (keys.length > 0) yield keys;",
    changes: {
      "keys.length > 0": ["true", "keys.length >= 0"],
    },
    because: "Of no keys none is unneeded.",
  },
  {
    file: "src/usecases/explaining/explain-envelope.ts",
    line: 'const facts = typeof entry.facts === "object" && entry.facts !== null ? entry.facts : {};',
    changes: {
      'typeof entry.facts === "object" && entry.facts !== null': [
        "true",
        'typeof entry.facts === "object" || entry.facts !== null',
      ],
      'typeof entry.facts === "object"': ["true"],
      "entry.facts !== null": ["true"],
    },
    because: "The ledger's facts are an object, or null, which spreads as none.",
  },
  {
    file: "src/usecases/explaining/explain-envelope.ts",
    line: "const byEarlier = link !== null && entry.decidedAt !== null && entry.decidedAt < link.linkedAt;",
    changes: {
      "link !== null && entry.decidedAt !== null": ["link !== null || entry.decidedAt !== null"],
    },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/explaining/explain-envelope.ts",
    line: 'if (finding.outcome !== "waiting") throw new Error("the finding of a waiting envelope is not waiting");',
    changes: {
      'finding.outcome !== "waiting"': ["false"],
    },
    because: IMPOSSIBLE,
  },
  {
    file: "src/usecases/explaining/explain-envelope.ts",
    line: "if (finding === null) throw new Error(`the ledger holds an unknown reason: ${entry.state} ${entry.reason}`);",
    changes: {
      "finding === null": ["false"],
      "`the ledger holds an unknown reason: ${entry.state} ${entry.reason}`": ["``"],
    },
    because: IMPOSSIBLE,
  },
  {
    file: "src/usecases/explaining/predict-envelope.ts",
    line: 'const pace = await deps.budgets.pace(link.account.id, "other");',
    changes: {
      '"other"': ['""'],
    },
    because: PACED,
  },
  {
    file: "src/usecases/explaining/predict-envelope.ts",
    line: 'const waiting = (await findLinkWait(deps, link, "listing")) ?? nextChance(decision, deps.now());',
    changes: {
      '"listing"': ['""'],
    },
    because: EVENT_OR_NOT,
  },
  {
    file: "src/usecases/explaining/predict-envelope.ts",
    line: "if (!(error instanceof DocuSignFault)) throw error;",
    changes: {
      "!(error instanceof DocuSignFault)": ["false"],
    },
    because: "A fault of our own fails the request in either case, as no kind of DocuSign's is one of it.",
  },
  {
    file: "src/usecases/explaining/predict-envelope.ts",
    line: "if (error.retryAt !== null) await deps.budgets.pause(link.account.id, error.retryAt);",
    changes: {
      "error.retryAt !== null": ["true"],
    },
    because: NO_PAUSE,
  },
  {
    file: "src/usecases/operating/dry-run.ts",
    line: "for (const row of rows) if (!found.has(row.envelope.id)) found.set(row.envelope.id, predict(row));",
    changes: {
      "!found.has(row.envelope.id)": ["true"],
    },
    because: "The same is predicted of an envelope on both sides, and keeps its place.",
  },
  {
    file: "src/usecases/operating/dry-run.ts",
    line: 'const pace = await deps.budgets.pace(link.account.id, "other");',
    changes: {
      '"other"': ['""'],
    },
    because: PACED,
  },
  {
    file: "src/usecases/operating/dry-run.ts",
    line: "if (error.retryAt !== null) await deps.budgets.pause(link.account.id, error.retryAt);",
    changes: {
      "error.retryAt !== null": ["true"],
    },
    because: NO_PAUSE,
  },
  {
    file: "src/usecases/importing/import-now.ts",
    line: 'return await findLinkWait(deps, link, isListed ? "listing" : "event");',
    changes: {
      '"listing"': ['""'],
    },
    because: EVENT_OR_NOT,
  },
  {
    file: "src/usecases/operating/reconcile-now.ts",
    line: "const to = requested.to === null || requested.to > now ? now : requested.to;",
    changes: {
      "requested.to > now": ["requested.to >= now"],
    },
    because: "The two are the same moment then.",
  },
  {
    file: "src/usecases/operating/reconcile-now.ts",
    line: 'if (link === null || link.state === "ended") return "link-ended";',
    changes: {
      "link === null": ["false"],
    },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/operating/reconcile-now.ts",
    line: "for (let poll = 0; poll < MOST_POLLS; poll += 1) {",
    changes: {
      "poll += 1": ["poll -= 1"],
      "poll < MOST_POLLS": ["poll <= MOST_POLLS"],
    },
    because: NOBODY_WAITS,
  },
  {
    file: "src/usecases/operating/replay-events.ts",
    line: 'if (link !== null && link.state !== "ended") yield await replayLink(deps, link, { envelopeIds, options });',
    changes: {
      'link !== null && link.state !== "ended"': ["true", 'link !== null || link.state !== "ended"'],
      "link !== null": ["true"],
      'link.state !== "ended"': ["true"],
      '"ended"': ['""'],
    },
    because: "Events of ended links are not read: this is for one that ends while others are replayed.",
  },
  {
    file: "src/usecases/operating/replay-events.ts",
    line: "if (link === null || envelope === null) continue;",
    changes: {
      "link === null || envelope === null": ["false", "link === null && envelope === null"],
      "link === null": ["false"],
      "envelope === null": ["false"],
    },
    because: IMPOSSIBLE,
  },
  {
    file: "src/usecases/operating/replay-events.ts",
    line: 'if ((await findWait(deps, link.id, "replay")) === null)',
    changes: {
      '"replay"': ['""'],
    },
    because: EVENT_OR_NOT,
  },
  {
    file: "src/usecases/operating/replay-events.ts",
    line: 'const wait = await findWait(deps, link.id, "replay");',
    changes: {
      '"replay"': ['""'],
    },
    because: EVENT_OR_NOT,
  },
  {
    file: "src/usecases/operating/replay-events.ts",
    line: 'if (left > 0 && signal.aborted) return { reason: "interrupted", until: null };',
    changes: {
      "left > 0 && signal.aborted": ["left > 0 || signal.aborted"],
    },
    because: "Nothing else than a stop or the link itself leaves envelopes of a replay.",
  },
  {
    file: "src/usecases/importing/waiting-cause.ts",
    line: 'if (link === null || reason !== null) return { reason: reason ?? "link-ended", until: null };',
    changes: {
      '"link-ended"': ['""'],
    },
    because: "Of no link the reason says so already, which its type does not.",
  },
  {
    file: "src/usecases/importing/waiting-cause.ts",
    line: 'const pause = await deps.budgets.pace(link.account.id, "other");',
    changes: {
      '"other"': ['""'],
    },
    because: PACED,
  },
  {
    file: "src/usecases/linking/end-link.ts",
    line: 'if (current === null || current.state === "ended") throw new Refusal("link-not-found");',
    changes: {
      "current === null": ["false"],
    },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/linking/end-link.ts",
    line: 'if (current === null || current.state === "ended") throw new Refusal("link-not-found");',
    changes: {
      'current.state === "ended"': ["false"],
      'current === null || current.state === "ended"': [
        "false",
        'current === null && current.state === "ended"',
      ],
      '"ended"': ['""'],
      '"link-not-found"': ['""'],
    },
    because:
      "Only a deletion that waited ten seconds in vain to be alone with the link meets another's end here.",
  },
  {
    file: "src/usecases/linking/end-link.ts",
    line: 'if (link === null || link.state === "ended") throw new Refusal("link-not-found");',
    changes: {
      "link === null": ["false"],
    },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/linking/end-link.ts",
    line: 'if (link === null || link.state === "ended") throw new Refusal("link-not-found");',
    changes: {
      'link === null || link.state === "ended"': ["false", 'link === null && link.state === "ended"'],
      'link.state === "ended"': ["false"],
      '"ended"': ['""'],
    },
    because:
      "Of a link that has ended DocuSign is asked nothing, for want of a token, and the commit refuses.",
  },
  {
    file: "src/usecases/linking/end-link.ts",
    line: "return true;",
    changes: {
      true: ["false"],
    },
    because: "Anything but null says that the step ran.",
  },
  {
    file: "src/usecases/linking/finish-linking.ts",
    line: "link.endedAt === null",
    changes: {
      "link.endedAt === null": ["false"],
    },
    because: ALL_ENDED,
  },
  {
    file: "src/usecases/linking/finish-linking.ts",
    line: "? []",
    changes: {
      "[]": ['["Stryker was here"]'],
    },
    because: ALL_ENDED,
  },
  {
    file: "src/usecases/linking/finish-linking.ts",
    line: 'return "linked";',
    changes: {
      '"linked"': ['""'],
    },
    because: "Of what the commit says only the refusal is looked for.",
  },
  {
    file: "src/usecases/linking/finish-linking.ts",
    line: 'if (link === null || link.state === "ended") return "link-not-found";',
    changes: {
      "link === null": ["false"],
    },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/linking/finish-linking.ts",
    line: "if (link === null) return;",
    changes: {
      "link === null": ["false"],
    },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/linking/finish-linking.ts",
    line: 'if (id === null) throw new Error("randomUUID returned an invalid UUID");',
    changes: {
      "id === null": ["false"],
      '"randomUUID returned an invalid UUID"': ['""'],
    },
    because: "What Node.js makes as a UUID can be read as one.",
  },
  {
    file: "src/usecases/reconciling/finish-reconciliation.ts",
    line: "if (inLedger === run.listed && run.unlisted === 0 && run.unreadable === 0 && uncounted === 0) return null;",
    changes: {
      "inLedger === run.listed && run.unlisted === 0": ["inLedger === run.listed || run.unlisted === 0"],
      "inLedger === run.listed": ["true"],
      "run.unlisted === 0": ["true"],
    },
    because:
      "What was listed is in the ledger by then: the counts differ just where something was not listed.",
  },
  {
    file: "src/usecases/reconciling/finish-reconciliation.ts",
    line: "if (current !== null && isThrough) await endFirstImport(tx, current, now);",
    changes: {
      "current !== null": ["true"],
    },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/importing/import-envelope.ts",
    line: 'deps.budgets.pace(link.account.id, "other"),',
    changes: {
      '"other"': ['""'],
    },
    because: PACED,
  },
  {
    file: "src/usecases/importing/import-envelope.ts",
    line: 'if (foundBy !== "reconciliation" || firstImport.doneAt !== null) return "other";',
    changes: {
      '"other"': ['""'],
    },
    because: PACED,
  },
  {
    file: "src/usecases/importing/import-envelope.ts",
    line: 'return firstImport.listedAt === null || foundAt <= firstImport.listedAt ? "first-import" : "other";',
    changes: {
      '"other"': ['""'],
    },
    because: PACED,
  },
  {
    file: "src/usecases/importing/import-envelope.ts",
    line: 'if (entry.state === "excluded")',
    changes: {
      'entry.state === "excluded"': ["true"],
    },
    because: "Only what is excluded is opened again: asking before saves the others a statement.",
  },
  {
    file: "src/usecases/importing/import-envelope.ts",
    line: 'if (link === null || link.state === "ended") return { kind: "link-ended" };',
    changes: {
      "link === null": ["false"],
    },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/importing/import-faults.ts",
    line: "const until = error.retryAt ?? new Date(deps.now().getTime() + UNSAID_WAIT_MS);",
    changes: {
      "deps.now().getTime() + UNSAID_WAIT_MS": ["deps.now().getTime() - UNSAID_WAIT_MS"],
    },
    because: "Whatever throttles says until when, if need be by a guess; the type is that of all faults.",
  },
  {
    file: "src/usecases/reconciling/judge-listed.ts",
    line: "const unknown = ids.filter((id) => !known.has(id));",
    changes: {
      "ids.filter((id) => !known.has(id))": ["ids"],
    },
    because:
      "Only of what the ledger lacks it counts whether an event announced it: asking for all costs more.",
  },
  {
    file: "src/usecases/health/link-health.ts",
    line: 'if (current === null || current.state === "ended") return;',
    changes: {
      "current === null": ["false"],
      'current.state === "ended"': ["false"],
      'current === null || current.state === "ended"': [
        "false",
        'current === null && current.state === "ended"',
      ],
      '"ended"': ['""'],
    },
    because:
      "What changes a link leaves an ended one as it is, and a reconciliation of it ends before it begins.",
  },
  {
    file: "src/usecases/receiving/receive-event.ts",
    line: 'return message.event === "envelope-completed" && message.envelopeId !== null;',
    changes: {
      "message.envelopeId !== null": ["true"],
    },
    because:
      "An envelope's event that names no envelope is malformed, in every format, and comes no further.",
  },
  {
    file: "src/usecases/reconciling/reconcile-link.ts",
    line: 'const pause = await deps.budgets.pace(link.account.id, "other");',
    changes: {
      '"other"': ['""'],
    },
    because: PACED,
  },
  {
    file: "src/usecases/reconciling/reconcile-link.ts",
    line: 'return link.firstImport.listedAt === null ? "first-import" : "other";',
    changes: {
      '"other"': ['""'],
    },
    because: PACED,
  },
  {
    file: "src/usecases/reconciling/reconcile-link.ts",
    line: "if (sentReached === null || receivedReached === null || firstImport.listedAt === null) return false;",
    changes: {
      "sentReached === null || receivedReached === null || firstImport.listedAt === null": [
        "false",
        "(sentReached === null || receivedReached === null) && firstImport.listedAt === null",
      ],
      "sentReached === null || receivedReached === null": [
        "false",
        "sentReached === null && receivedReached === null",
      ],
      "sentReached === null": ["false"],
    },
    because: "What is null is before every moment, as the comparison below has it.",
  },
  {
    file: "src/usecases/reconciling/reconcile-link.ts",
    line: 'if (link === null || link.state === "ended") return { kind: "not-importing", link };',
    changes: {
      "link === null": ["false"],
    },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/reconciling/reconcile-link.ts",
    line: 'if (link === null || link.state === "ended" || isOver(request, { link, ended, now: deps.now() }))',
    changes: {
      "link === null": ["false"],
      'link.state === "ended"': ["false"],
      'link === null || link.state === "ended"': ["false", 'link === null && link.state === "ended"'],
      '"ended"': ['""'],
    },
    because:
      "A deletion waits for the step that is under way; where it has waited ten seconds in vain, the next step says so.",
  },
  {
    file: "src/usecases/reconciling/reconcile-link.ts",
    line: "if (listedAt === null || from !== undefined || manual === true || !hasReached(link, to)) return false;",
    changes: {
      "listedAt === null": ["false"],
    },
    because: "Before the first listing nothing is reached either; TypeScript asks.",
  },
  {
    file: "src/usecases/reconciling/reconcile-link.ts",
    line: "return sentReached >= to && receivedReached >= to;",
    changes: {
      "sentReached >= to && receivedReached >= to": ["sentReached >= to || receivedReached >= to"],
      "sentReached >= to": ["true"],
    },
    because:
      "A run brings both sides to the same moment; one that broke off between them is gone on with first.",
  },
  {
    file: "src/usecases/reconciling/reconcile-link.ts",
    line: 'if (kind === "first")',
    changes: {
      'kind === "first"': ["true"],
    },
    because: "What has begun keeps its beginning.",
  },
  {
    file: "src/usecases/reconciling/reconcile-link.ts",
    line: "if (sentReached === null || receivedReached === null || firstImport.listedAt === null) return false;",
    changes: {
      "firstImport.listedAt === null": ["false"],
    },
    because:
      "Before the first listing only an operator's window back to 2003 reaches that far; the next hour then lists first.",
  },
  {
    file: "src/usecases/reconciling/reconcile-page.ts",
    line: 'if (current === null || current.state === "ended") return;',
    changes: {
      "current === null": ["false"],
    },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/reconciling/reconcile-page.ts",
    line: 'return run.kind === "first" && link.checkedAt !== null && +run.startedAt - +link.checkedAt < JUST_MS;',
    changes: {
      "link.checkedAt !== null": ["true"],
    },
    because: "A linking looks at the user, and notes when.",
  },
  {
    file: "src/usecases/reconciling/reconcile-page.ts",
    line: "...(proof !== null && { colleagueSentAt: later(proof, link.colleagueSentAt) }),",
    changes: {
      "proof !== null": ["true"],
    },
    because: "Without a new proof the later of the two is the one that the link has.",
  },
  {
    file: "src/usecases/reconciling/reconcile-page.ts",
    line: "return other !== null && (one === null || other > one) ? other : one;",
    changes: {
      "other !== null": ["true"],
      "one === null": ["false"],
      "other > one": ["other >= one"],
    },
    because: "Without the one, the other; of two equal moments either.",
  },
  {
    file: "src/usecases/importing/take-in.ts",
    line: "const documents = contentDocuments(work.envelope.documents ?? []);",
    changes: {
      "[]": ['["Stryker was here"]'],
    },
    because: "An envelope of which the documents are not known is not decided to be imported.",
  },
  {
    file: "src/usecases/importing/take-in.ts",
    line: 'if (link === null || link.state === "ended") return { kind: "link-ended" } as const;',
    changes: {
      "link === null": ["false"],
    },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/importing/take-in.ts",
    line: "if (bytes === undefined)",
    changes: {
      "bytes === undefined": ["false"],
    },
    because: IMPOSSIBLE,
  },
  {
    file: "src/usecases/importing/take-in.ts",
    line: "throw new Error(`document ${document.documentId} was stored but is not recorded`);",
    changes: {
      "`document ${document.documentId} was stored but is not recorded`": ["``"],
    },
    because: IMPOSSIBLE,
  },
  {
    file: "src/usecases/importing/take-in.ts",
    line: 'if (completedAt === null) throw new Error("an envelope to import has no completion time");',
    changes: {
      "completedAt === null": ["false"],
      '"an envelope to import has no completion time"': ['""'],
    },
    because: IMPOSSIBLE,
  },
  {
    file: "src/usecases/importing/take-in.ts",
    line: 'if (id === null) throw new Error("randomUUID returned an invalid UUID");',
    changes: {
      "id === null": ["false"],
      '"randomUUID returned an invalid UUID"': ['""'],
    },
    because: IMPOSSIBLE,
  },
  {
    file: "src/usecases/importing/take-in.ts",
    line: 'if (link?.state !== "active" || (await hasGroup(tx, link.tenant, link.groupId))) return;',
    changes: {
      "link?.state": ["link.state"],
    },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/operating/check-service.ts",
    line: "const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {",
    changes: { "{ signal: timer.signal }": ["{}"] },
    because:
      "A timer that is left runs out by itself, and nobody waits for it: the command ends its process.",
  },
  {
    file: "src/usecases/operating/check-service.ts",
    line: "} finally {",
    changes: { "{ timer.abort(); }": ["{}"] },
    because:
      "A timer that is left runs out by itself, and nobody waits for it: the command ends its process.",
  },
  {
    file: "src/usecases/operating/check-service.ts",
    line: "timer.abort();",
    changes: { "timer.abort();": [";"] },
    because:
      "A timer that is left runs out by itself, and nobody waits for it: the command ends its process.",
  },
  {
    file: "src/usecases/operating/check-service.ts",
    line: "throw new Error(`no answer within ${ms / 1000} s`);",
    changes: { "`no answer within ${ms / 1000} s`": ["``"], "ms / 1000": ["ms * 1000"] },
    because: NOBODY_WAITS,
  },
  {
    file: "src/usecases/operating/check-service.ts",
    line: "const response = await fetch(`${configured}/.well-known/openid-configuration`, { signal });",
    changes: { "{ signal }": ["{}"] },
    because:
      "Without its own five seconds an answer is waited for like every check's, for fifteen: longer than a test waits.",
  },
  {
    file: "src/usecases/importing/import-backlog.ts",
    line: "const link = due === null ? null : await findLink(db, linkId);",
    changes: { "due === null": ["false"] },
    because: "Where nothing is due the link is asked for in vain, and nothing comes of it.",
  },
  {
    file: "src/usecases/importing/import-backlog.ts",
    line: 'if (due === null || link?.state !== "active") return;',
    changes: { "due === null": ["false"], "link?.state": ["link.state"] },
    because: "Where nothing is due the link was not asked for; and links are never removed.",
  },
  {
    file: "src/usecases/importing/import-backlog.ts",
    line: 'if (link?.state !== "active") return;',
    changes: { "link?.state": ["link.state"] },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/importing/import-backlog.ts",
    line: 'const pace = await deps.budgets.pace(link.account.id, "other");',
    changes: { '"other"': ['""'] },
    because: PACED,
  },
  {
    file: "src/usecases/importing/import-backlog.ts",
    line: 'if (deps.now().getTime() - startedAt >= TURN_MS) return "turn-over";',
    changes: { '"turn-over"': ['""'] },
    because: EVENT_OR_NOT,
  },
  {
    file: "src/usecases/importing/import-backlog.ts",
    line: 'return "turn-over";',
    changes: { '"turn-over"': ['""'] },
    because: EVENT_OR_NOT,
  },
  {
    file: "src/usecases/importing/import-backlog.ts",
    line: 'if (outcome.kind === "link-ended" || (outcome.kind === "waiting" && SHARED_CAUSES.has(outcome.reason)))',
    changes: { 'outcome.kind === "waiting"': ["true"] },
    because: "No reason that excludes is one that all envelopes wait for.",
  },
  {
    file: "src/usecases/reconciling/list-page.ts",
    line: "return completedAt !== null && completedAt < cursorFrom && completedAt >= from;",
    changes: {
      "completedAt !== null": ["true"],
      "completedAt >= from": ["true", "completedAt > from"],
      "completedAt < cursorFrom": ["completedAt <= cursorFrom"],
    },
    because:
      "What is not completed, or completed before the window, DocuSign adds without being asked, on no page in particular: it counts once or twice, and so does its share of the total.",
  },
  {
    file: "src/usecases/reconciling/list-page.ts",
    line: "if (last !== null && last > cursorFrom) return { side, cursorFrom: last, cursorPosition: 0 };",
    changes: { "last !== null": ["true"] },
    because: "Null is after no moment.",
  },
  {
    file: "src/usecases/reconciling/list-page.ts",
    line: "if (first === undefined || last === undefined) return null;",
    changes: {
      "first === undefined || last === undefined": ["first === undefined && last === undefined"],
      "first === undefined": ["false"],
      "last === undefined": ["false"],
    },
    because: "A page without a first row has no last one either.",
  },
  {
    file: "src/usecases/health/link-health.ts",
    line: 'return (await checkAdmin(deps, link, account)) ? "admin" : "not-admin";',
    changes: { '"admin"': ['""'] },
    because: EVENT_OR_NOT,
  },
  {
    file: "src/usecases/health/link-health.ts",
    line: 'if (isTransient(error) || isOurCredentialsFault(error)) return "unsaid";',
    changes: { '"unsaid"': ['""'] },
    because: EVENT_OR_NOT,
  },
  {
    file: "src/usecases/health/link-health.ts",
    line: "return firstImport.startedAt !== null && firstImport.doneAt === null;",
    changes: { "firstImport.doneAt === null": ["true"] },
    because: "When an import began that is over is read by nobody.",
  },
  {
    file: "src/usecases/importing/listed-envelope.ts",
    line: "return { ...envelope, completedAt: envelope.completedAt?.toISOString() ?? null };",
    changes: { "envelope.completedAt?.toISOString": ["envelope.completedAt.toISOString"] },
    because: IMPOSSIBLE,
  },
  {
    file: "src/usecases/importing/listed-envelope.ts",
    line: "completedAt: completedAt === null ? null : new Date(completedAt),",
    changes: { "completedAt === null": ["false"] },
    because: IMPOSSIBLE,
  },
  {
    file: "src/usecases/account/open-account.ts",
    line: 'return (link, onCall, kind = "other") =>',
    changes: { '"other"': ['""'] },
    because: PACED,
  },
  {
    file: "src/usecases/reconciling/reconcile-all.ts",
    line: "const delay = links.length <= FEW_LINKS ? 0 : spreadWithin(link.id, SPREAD_MS);",
    changes: { "links.length <= FEW_LINKS": ["links.length < FEW_LINKS"] },
    because: "At the very border either is right.",
  },
  {
    file: "src/usecases/reconciling/lock.ts",
    line: "for (let left = TRIES; left > 0; left -= 1) {",
    changes: { "left > 0": ["left >= 0"] },
    because: NOBODY_WAITS,
  },
  {
    file: "src/usecases/reconciling/window.ts",
    line: "return proof === null || proof > from || proof.getTime() < from.getTime() - LONGEST_PROOF_MS ? from : proof;",
    changes: {
      "proof > from": ["proof >= from"],
      "proof.getTime() < from.getTime() - LONGEST_PROOF_MS": [
        "proof.getTime() <= from.getTime() - LONGEST_PROOF_MS",
      ],
    },
    because: "At the very border either is right.",
  },
  {
    file: "src/usecases/reconciling/window.ts",
    line: "return sent < received ? sent : received;",
    changes: { "sent < received": ["sent <= received", "true"] },
    because:
      "Of two equal moments either; and what was received is never known further back than what was sent, as a run brings both to the same moment.",
  },
  {
    file: "src/usecases/reconciling/tally-page.ts",
    line: 'unlistedIds: run.kind === "full" ? await listUnlisted(db, work, { page, rows }) : [],',
    changes: { 'run.kind === "full"': ["true"] },
    because: "Only a full check shows it: all others are saved the question.",
  },
  {
    file: "src/usecases/reconciling/tally-page.ts",
    line: "const again = rows",
    changes: {
      "rows .map(({ envelope }) => envelope) .filter(({ completedAt }) => completedAt === null || completedAt >= cursorFrom)":
        ["rows.map(({ envelope }) => envelope)"],
    },
    because: "What completed before the cursor is not shown again: leaving it out only saves room.",
  },
  {
    file: "src/usecases/reconciling/tally-page.ts",
    line: ".filter(({ completedAt }) => completedAt === null || completedAt >= cursorFrom)",
    changes: { "completedAt === null || completedAt >= cursorFrom": ["true"] },
    because: "What completed before the cursor is not shown again: leaving it out only saves room.",
  },
  {
    file: "src/usecases/reconciling/tally-page.ts",
    line: "return cursorPosition === 0 ? again : [...new Set([...run.countedIds, ...again])];",
    changes: { "cursorPosition === 0": ["false"] },
    because: "What completed before the cursor is not shown again: leaving it out only saves room.",
  },
  {
    file: "src/usecases/reconciling/tally-page.ts",
    line: "if (!isSideDone && next.cursorPosition > 0) return [];",
    changes: { "!isSideDone && next.cursorPosition > 0": ["false"] },
    because: "Where the listing goes on by position the stretch of time is empty, and so is the answer.",
  },
  {
    file: "src/usecases/importing/import-backlog.ts",
    line: "const claim = { linkId: link.id, now, leaseUntil: new Date(now.getTime() + LEASE_MS) };",
    changes: { "now.getTime() + LEASE_MS": ["now.getTime() - LEASE_MS"] },
    because:
      "The import itself takes the envelope for as long a moment later; until then another lane would find it in hand.",
  },
  {
    file: "src/usecases/importing/import-backlog.ts",
    line: "if (doneAt !== null) return await claimNextDue(deps.db, claim);",
    changes: { "doneAt !== null": ["false"] },
    because:
      "Of an import that is over nothing is held back: what is due is taken either way, the newer first.",
  },
  {
    file: "src/usecases/importing/import-backlog.ts",
    line: "const newer = listedAt === null ? null : await claimNextDue(deps.db, { ...claim, foundAfter: listedAt });",
    changes: { "listedAt === null": ["false"] },
    because: "Nothing was found after null.",
  },
  {
    file: "src/usecases/operating/check-service.ts",
    line: "const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {",
    changes: { "{ throw new Error(`no answer within ${ms / 1000} s`); }": ["{}"] },
    because: NOBODY_WAITS,
  },
  {
    file: "src/usecases/importing/exclude-envelope.ts",
    line: 'if (link === null || link.state === "ended") return { kind: "link-ended" };',
    changes: { "link === null": ["false"] },
    because: NEVER_REMOVED,
  },
  {
    file: "src/usecases/account/call-budgets.ts",
    line: "return Number(one.remaining) < Number(other.remaining) ? one : other;",
    changes: {
      "Number(one.remaining) < Number(other.remaining)": ["Number(one.remaining) <= Number(other.remaining)"],
    },
    because: "Of two equal numbers of one hour either.",
  },
  {
    file: "src/usecases/account/call-budgets.ts",
    line: "return resetsAt?.getTime() ?? 0;",
    changes: { "resetsAt?.getTime": ["resetsAt.getTime"] },
    because: "Only budgets that are told are kept, and those have an end: the type says more.",
  },
  {
    file: "src/usecases/linking/count-completed.ts",
    line: "const isLarge = Math.max(sent, received) >= enough;",
    changes: { "Math.max(sent, received) >= enough": ["Math.max(sent, received) > enough"] },
    because:
      "Just as many of one side are enough with the others of the other: then whether they are is unsure, and they are counted too.",
  },
  {
    file: "src/usecases/linking/change-groups.ts",
    line: 'return link?.state === "ended" ? null : link;',
    changes: { 'link?.state === "ended"': ["false"], '"ended"': ['""'] },
    because:
      "What changes a link leaves an ended one as it is, and a reconciliation of it ends before it begins.",
  },
  {
    file: "src/usecases/linking/last-look.ts",
    line: "if (run === null) return false;",
    changes: { false: ["true"] },
    because: "The run was begun a moment ago, by who is alone with the link.",
  },
  {
    file: "src/usecases/linking/last-look.ts",
    line: "return true;",
    changes: { true: ["false"] },
    because: "Anything but null says that the step ran.",
  },
  {
    file: "src/usecases/linking/count-completed.ts",
    line: "const isShown = most <= SMALL || (isLarge && most <= MOST_COUNTED);",
    changes: { "most <= SMALL": ["most < SMALL"], "most <= MOST_COUNTED": ["most < MOST_COUNTED"] },
    because: "At the very border either is right.",
  },
  {
    file: "src/usecases/health/ensure-connect.ts",
    line: 'userIds: type === "custom" ? [] : [link.user.id],',
    changes: { 'type === "custom"': ["false"], '"custom"': ['""'], "[]": ['["Stryker was here"]'] },
    because: "Of what the account sends DocuSign is asked to tell of all users, whoever is named.",
  },
];
