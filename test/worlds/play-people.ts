import assert from "node:assert/strict";
import { GROUPS } from "./cast.ts";
import type { MoveOf } from "./moves.ts";
import { seeContracts } from "./observe.ts";
import { pick, pickOf, type Stage, tell } from "./stage.ts";

/** Changes by users and administrators at DocuSign that concern linkable users. */
export function playPerson(
  stage: Stage,
  { kind, user: number }: MoveOf<"revoke" | "demote" | "promote" | "close">,
): void {
  const { world, cast, tenants, demoted, closed } = stage;
  const { docusign } = world;
  const admins = cast.linkable.filter((one) => !one.name.endsWith("namesake"));
  const linked = admins.filter(({ user }) =>
    tenants.some(({ current }) => current?.link.user.userId === user.userId),
  );
  const { name, user, accounts } = pickOf([...linked, ...linked, ...admins], number);
  const account = pickOf(accounts, 0);
  tell(stage, `${name}: ${SAID[kind]}`);
  switch (kind) {
    case "revoke":
      docusign.revokeConsent(user);
      for (const { current } of tenants)
        if (current?.link.user.userId === user.userId) current.revoked = true;
      return;
    case "demote":
      docusign.setRole(user, account, "DS Sender");
      demoted.add(user.userId);
      return;
    case "promote":
      docusign.setRole(user, account, "DS Admin");
      demoted.delete(user.userId);
      return;
    case "close":
      docusign.closeUser(user);
      closed.add(user.userId);
  }
}

const SAID = {
  revoke: "takes back what was allowed",
  demote: "is DS Admin no more",
  promote: "is DS Admin",
  close: "is closed",
} as const;

/** The cabinet reports a group as deleted or present. */
export async function playGroup(stage: Stage, move: MoveOf<"group">): Promise<void> {
  const tenant = pickOf(stage.tenants, move.tenant);
  const group = pickOf(GROUPS, move.group);
  await seeContracts(stage, tenant);
  const api = await stage.world.api(tenant.name);
  tell(stage, `${tenant.name}'s ${group} is ${move.gone ? "gone" : "there"}`);
  const path = `/v1/groups/${group}`;
  const { status } = move.gone
    ? await api.send("DELETE", path)
    : await api.send("PUT", path, { name: group });
  assert.ok(status < 300, `the answer about the group was ${status}`);
  if (move.gone) tenant.groups.delete(group);
  else tenant.groups.add(group);
}

/** A contract is deleted in the cabinet, or all of its envelope. */
export async function playDelete(
  stage: Stage,
  { tenant: number, which, whole }: MoveOf<"delete">,
): Promise<void> {
  const tenant = pickOf(stage.tenants, number);
  await seeContracts(stage, tenant);
  const one = pick(
    tenant.contracts.filter(({ isDeleted }) => !isDeleted),
    which,
  );
  if (one === undefined) return;
  const chosen = whole ? tenant.contracts.filter(({ envelopeId }) => envelopeId === one.envelopeId) : [one];
  const subject = stage.envelopes.find(({ envelopeId }) => envelopeId === one.envelopeId)?.subject;
  tell(stage, `${tenant.name} deletes ${whole ? "all" : `document ${one.documentId}`} of ${subject}`);
  const api = await stage.world.api(tenant.name);
  for (const contract of chosen) {
    const { status } = await api.send("DELETE", `/v1/contracts/${contract.id}`);
    assert.equal(status, 204, "the answer to a deletion");
    contract.isDeleted = true;
  }
}
