import assert from "node:assert/strict";
import { createBrowser } from "../support/browser.ts";
import { finishLink } from "../support/world.ts";
import { GROUPS, type Player } from "./cast.ts";
import { dateInJapan, type PlayedLink } from "./model.ts";
import type { MoveOf, Start } from "./moves.ts";
import { seeContracts } from "./observe.ts";
import { type ShownLink, shownLink } from "./shown-link.ts";
import { isSqueezed, pickOf, type Stage, type Tenant, tell } from "./stage.ts";
import { boundsOfStarts, isWithin, raised } from "./windows.ts";

/** The owner begins a linking and somebody logs in at DocuSign, where the rules let that be. */
export async function playLink(stage: Stage, move: MoveOf<"link">): Promise<void> {
  const { world, cast } = stage;
  const tenant = pickOf(stage.tenants, move.tenant);
  // Who comes after a link is often of the same company.
  const last = tenant.links.at(-1)?.account;
  const successors = cast.linkable.filter(({ user }) => user.defaultAccountId === last);
  const player = pickOf([...successors, ...successors, ...cast.linkable], move.user);
  const groupId = pickOf(GROUPS, move.group);
  // A login takes its time, so that no two links are made at once.
  world.clock.pass(1000);
  await seeContracts(stage, tenant);
  const before = await shownLink(stage, tenant);
  const api = await world.api(tenant.name);
  const from = startOf(stage, move.from);
  const begun = await api.send("POST", "/v1/link", { groupId, from });
  const refusals = [
    ...(before !== null && before.state !== "error" ? [409] : []),
    ...(tenant.groups.has(groupId) ? [] : [422]),
  ];
  tell(
    stage,
    `${tenant.name} links ${player.name} to ${groupId}${from === null ? "" : ` from ${from} on`}: ${begun.status}`,
  );
  if (refusals.length > 0)
    return assert.ok(refusals.includes(begun.status), `linking was answered ${begun.status}`);
  assert.equal(begun.status, 201, "a linking may begin");
  const result = await finishLink(world, createBrowser(), {
    person: world.owner(tenant.name),
    user: player.user,
    authorizationUrl: begun.body.authorizationUrl,
  });
  tell(stage, `  … ${result}`);
  const expected = expectedResults(stage, tenant, player, before);
  assert.ok(expected.includes(result), `linking ended as ${result}, not as ${expected.join(" or ")}`);
  if (!result.startsWith("linked") && result !== "awaiting-approval") return;
  if (tenant.current === null) await noteLink(stage, tenant, player, { groupId, from });
  else Object.assign(tenant.current, { groupId, revoked: false });
}

function expectedResults(stage: Stage, tenant: Tenant, { user }: Player, before: ShownLink | null): string[] {
  const account = user.defaultAccountId;
  const squeezed = isSqueezed(stage, account) ? ["failed"] : [];
  if (stage.closed.has(user.userId)) return ["failed", "not-admin"];
  if (stage.demoted.has(user.userId) || !stage.cast.linkable.some((one) => one.user === user && isAdmin(one)))
    return ["not-admin", ...squeezed];
  const good = ["linked", "awaiting-approval", ...squeezed];
  if (before === null) return good;
  const isSame = tenant.current?.link.user.userId === user.userId && tenant.current.link.account === account;
  return isSame ? good : ["already-linked", ...squeezed];
}

function isAdmin({ name }: Player): boolean {
  return /admin$|deputy$/.test(name);
}

/** A new link: its windows must be what the rules say, and from now on what it shows decides. */
async function noteLink(
  stage: Stage,
  tenant: Tenant,
  { user }: Player,
  { groupId, from }: { groupId: string; from: string | null },
): Promise<void> {
  const { world } = stage;
  const shown = await shownLink(stage, tenant);
  assert.ok(shown, "a link that was made is shown");
  const link: PlayedLink = {
    id: shown.id,
    tenant: tenant.name,
    account: user.defaultAccountId,
    user: { userId: user.userId, email: user.email },
    linkedAt: new Date(world.clock.now),
    sentFrom: dateOf(shown.sentFrom),
    receivedFrom: dateOf(shown.receivedFrom),
    from,
    endedAt: null,
  };
  assert.equal(shown.from, from, "the start date");
  checkStarts(stage, tenant, link);
  tenant.links.push(link);
  tenant.current = {
    link,
    groupId,
    revoked: false,
    awaitsApproval: shown.state === "awaiting-approval",
    sureUntil: null,
    isPaused: false,
  };
}

function checkStarts(stage: Stage, tenant: Tenant, link: PlayedLink): void {
  const { sent, received } = boundsOfStarts(tenant.endings, {
    account: link.account,
    userId: link.user.userId,
  });
  const starts = { sent: raised(sent, link.from), received: raised(received, link.from) };
  tell(
    stage,
    `  … it takes what was sent from ${told(link.sentFrom)}, received from ${told(link.receivedFrom)}`,
  );
  assert.ok(isWithin(link.sentFrom, starts.sent), `sentFrom has to lie between ${told(starts.sent)}`);
  assert.ok(
    isWithin(link.receivedFrom, starts.received),
    `receivedFrom has to lie between ${told(starts.received)}`,
  );
}

/** The date in Japan so many days ago. */
function startOf({ world }: Stage, days: Start): string | null {
  return days === null ? null : dateInJapan(new Date(world.clock.now.getTime() - days * 24 * 3_600_000));
}

/** The owner moves the start date, which only works towards the past. */
export async function playStart(stage: Stage, move: MoveOf<"start">): Promise<void> {
  const tenant = pickOf(stage.tenants, move.tenant);
  const { current } = tenant;
  if (current === null) return;
  await seeContracts(stage, tenant);
  const from = startOf(stage, move.from);
  const before = current.link.from;
  const { status } = await (await stage.world.api(tenant.name)).send("PATCH", "/v1/link", { from });
  tell(stage, `${tenant.name} has its link start ${from ?? "at no date"}: ${status}`);
  const isAllowed = from === null || (before !== null && from <= before);
  assert.equal(status, isAllowed ? 200 : 400, "the answer to a start date");
  if (!isAllowed || from === before) return;
  const shown = await shownLink(stage, tenant);
  assert.equal(shown?.from, from, "the start date");
  const { link } = current;
  Object.assign(link, {
    from,
    sentFrom: dateOf(shown?.sentFrom ?? null),
    receivedFrom: dateOf(shown?.receivedFrom ?? null),
  });
  checkStarts(stage, tenant, link);
  current.sureUntil = null;
}

/** The owner chooses another group; contracts that are there stay if they are. */
export async function playEdit(stage: Stage, move: MoveOf<"edit">): Promise<void> {
  const tenant = pickOf(stage.tenants, move.tenant);
  const groupId = pickOf(GROUPS, move.group);
  await seeContracts(stage, tenant);
  const { status } = await (await stage.world.api(tenant.name)).send("PATCH", "/v1/link", { groupId });
  tell(stage, `${tenant.name} has its link import into ${groupId}: ${status}`);
  const ifLinked = tenant.groups.has(groupId) ? 200 : 422;
  assert.equal(status, tenant.current === null ? 404 : ifLinked, "the answer to an edit");
  if (status === 200 && tenant.current !== null) tenant.current.groupId = groupId;
}

/** The owner pauses an active link, or resumes a paused one. */
export async function playPause(
  stage: Stage,
  { tenant: number, kind }: MoveOf<"pause" | "resume">,
): Promise<void> {
  const tenant = pickOf(stage.tenants, number);
  const { current } = tenant;
  if (current === null) return;
  await seeContracts(stage, tenant);
  const before = await shownLink(stage, tenant);
  const { status, body } = await (await stage.world.api(tenant.name)).send("POST", `/v1/link/${kind}`);
  tell(stage, `${tenant.name} wants to ${kind}: ${status}`);
  const [from, to] = kind === "pause" ? ["active", "paused"] : ["paused", "active"];
  assert.equal(status, before?.state === from ? 200 : 409, `the answer to ${kind}`);
  if (status !== 200) return;
  assert.equal(body.state, to);
  current.isPaused = kind === "pause";
}

/** The owner lets a large first import begin. */
export async function playApprove(stage: Stage, move: MoveOf<"approve">): Promise<void> {
  const tenant = pickOf(stage.tenants, move.tenant);
  const { current } = tenant;
  if (current === null) return;
  const { status } = await (await stage.world.api(tenant.name)).send("POST", "/v1/link/approve");
  tell(stage, `${tenant.name} approves: ${status}`);
  assert.equal(status, current.awaitsApproval ? 200 : 409, "the answer to an approval");
  current.awaitsApproval = false;
}

function dateOf(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

function told(thing: Date | null | { earliest: Date | null; latest: Date | null }): string {
  if (thing === null) return "the beginning";
  return thing instanceof Date ? thing.toISOString() : `${told(thing.earliest)} and ${told(thing.latest)}`;
}
