import assert from "node:assert/strict";
import { test } from "node:test";
import type { DocuSignSimulator } from "../support/docusign/simulator.ts";
import type { Account, Envelope, User } from "../support/docusign/state.ts";
import { type Api, idsOf, openApi, rowsOf, startSimulator, within } from "./client.ts";

const LISTING = "/envelopes?from_date=2020-01-01T00:00:00Z&order_by=completed";

type Story = {
  simulator: DocuSignSimulator;
  account: Account;
  admin: User;
  sender: User;
  stranger: User;
  open: (user: User) => Promise<Api>;
};

async function openStory(): Promise<Story> {
  const simulator = await startSimulator();
  const [account, elsewhere] = [simulator.addAccount(), simulator.addAccount()];
  return {
    simulator,
    account,
    admin: simulator.addUser(account, { name: "山田", role: "DS Admin" }),
    sender: simulator.addUser(account, { name: "佐藤", role: "DS Sender" }),
    stranger: simulator.addUser(elsewhere, { name: "乙", role: "DS Admin" }),
    open: (user) => openApi(simulator, account, user),
  };
}

function names(envelopes: readonly Envelope[], ids: readonly string[]): string[] {
  return ids.map((id) => envelopes.find(({ envelopeId }) => envelopeId === id)?.subject ?? "?");
}

test("an administrator sees what the account sent, others what they sent or received", async () => {
  const { simulator, admin, sender, stranger, open } = await openStory();
  await using _ = simulator;
  const envelopes = [
    await simulator.concludeEnvelope({ from: admin, to: [stranger], subject: "by admin" }),
    await simulator.concludeEnvelope({ from: sender, to: [stranger], subject: "by sender" }),
    await simulator.concludeEnvelope({ from: stranger, to: [admin], subject: "to admin" }),
    await simulator.concludeEnvelope({ from: stranger, to: [sender], subject: "to sender" }),
  ];
  const [asAdmin, asSender] = [await open(admin), await open(sender)];
  const seen = async (api: Api, filter: string): Promise<string[]> =>
    names(envelopes, idsOf(await api(`${LISTING}${filter}`)));

  assert.deepEqual(await seen(asAdmin, ""), ["by admin", "by sender"]);
  assert.deepEqual(await seen(asAdmin, "&user_filter=recipient"), ["to admin"]);
  assert.deepEqual(await seen(asAdmin, "&user_filter=sender"), ["by admin"]);
  assert.deepEqual(await seen(asSender, ""), ["by sender", "to sender"]);
  simulator.setRole(admin, simulator.state.accounts.values().next().value ?? assert.fail(), "DS Admin", {
    apiAccountWideAccess: false,
  });
  assert.deepEqual(await seen(asAdmin, ""), ["by admin", "to admin"]);
  simulator.assertNoProblems();
});

test("received counts by user id, and by e-mail address only where there is no id", async () => {
  const { simulator, account, admin, stranger, open } = await openStory();
  await using _ = simulator;
  const twin = simulator.addUser(account, { name: "同じ宛先", email: admin.email, role: "DS Admin" });
  const envelopes = [
    await simulator.concludeEnvelope({ from: stranger, to: [twin], subject: "to twin" }),
    await simulator.concludeEnvelope({
      from: stranger,
      to: [{ email: admin.email.toUpperCase() }],
      subject: "to address",
    }),
  ];
  const asAdmin = await open(admin);

  const listed = await asAdmin(`${LISTING}&user_filter=recipient_only`);

  assert.deepEqual(names(envelopes, idsOf(listed)), ["to address"]);
  const read = envelopes.map(({ envelopeId }) => asAdmin(`/envelopes/${envelopeId}`));
  assert.deepEqual(
    (await Promise.all(read)).map(({ status }) => status),
    [404, 200],
  );
});

test("an envelope is read by account administrators, its sender and its recipients; others get the fitting code", async () => {
  const { simulator, account, admin, sender, stranger, open } = await openStory();
  await using _ = simulator;
  const viewer = simulator.addUser(account, { name: "鈴木", role: "DS Viewer" });
  const sent = await simulator.concludeEnvelope({ from: sender, to: [stranger] });
  const received = await simulator.concludeEnvelope({
    from: stranger,
    to: [{ user: viewer, group: "carbonCopies" }],
  });
  const outcome = async (user: User, envelopeId: string): Promise<unknown> => {
    const { status, json } = await (await open(user))(`/envelopes/${envelopeId}`);
    return status === 200 ? 200 : [status, json["errorCode"]];
  };

  assert.equal(await outcome(admin, sent.envelopeId), 200);
  assert.equal(await outcome(sender, sent.envelopeId), 200);
  assert.equal(await outcome(viewer, received.envelopeId), 200);
  assert.deepEqual(await outcome(viewer, sent.envelopeId), [401, "USER_NOT_ENVELOPE_SENDER_OR_RECIPIENT"]);
  assert.deepEqual(await outcome(admin, received.envelopeId), [404, "ENVELOPE_DOES_NOT_EXIST"]);
  assert.deepEqual(await outcome(admin, crypto.randomUUID()), [404, "ENVELOPE_DOES_NOT_EXIST"]);
  simulator.assertNoProblems();
});

test("users who are not, or no longer, members of the account are refused", async () => {
  const { simulator, account, admin, sender, stranger, open } = await openStory();
  await using _ = simulator;
  const other = simulator.addAccount();
  simulator.addMembership(other, sender, { role: "DS Sender" });
  simulator.addMembership(other, admin, { role: "DS Admin" });
  const [asStranger, asSender, asAdmin] = [await open(stranger), await open(sender), await open(admin)];

  simulator.closeUser(sender, account);
  simulator.setRole(admin, account, "DS Viewer");

  assert.equal(
    (await asStranger("/settings")).json["errorCode"],
    "USER_DOES_NOT_BELONG_TO_SPECIFIED_ACCOUNT",
  );
  assert.equal((await asSender("/settings")).json["errorCode"], "USER_LACKS_MEMBERSHIP");
  assert.equal((await asAdmin("/settings")).json["errorCode"], "USER_NOT_ACCOUNT_ADMIN");
  simulator.assertNoProblems();
});

test("every recipient group is listed under its name, and invented ones too", async () => {
  const { simulator, admin, stranger, open } = await openStory();
  await using _ = simulator;
  const groups =
    "signers agents editors intermediaries carbonCopies certifiedDeliveries inPersonSigners seals witnesses notaries soothsayers";
  const to = groups.split(" ").map((group) => ({ user: stranger, group }));
  const { envelopeId } = await simulator.concludeEnvelope({ from: admin, to });

  const { json } = await (await open(admin))(`/envelopes/${envelopeId}/recipients`);

  for (const group of groups.split(" "))
    assert.equal(rowsOf(json[group])[0]?.["userId"], stranger.userId, group);
  assert.equal(rowsOf(json["inPersonSigners"])[0]?.["hostEmail"], stranger.email);
  simulator.assertNoProblems();
});

test("after a reassignment the original recipient is a carbon copy, and both see the envelope", async () => {
  const { simulator, admin, sender, stranger, open } = await openStory();
  await using _ = simulator;
  const envelope = await simulator.sendEnvelope({ from: stranger, to: [admin] });

  await simulator.reassign(envelope, admin, sender);

  const { status, json } = await (await open(sender))(`/envelopes/${envelope.envelopeId}/recipients`);
  assert.equal(status, 200);
  assert.deepEqual(
    rowsOf(json["carbonCopies"]).map((row) => row["userId"]),
    [admin.userId],
  );
  assert.deepEqual(
    rowsOf(json["signers"]).map((row) => row["userId"]),
    [sender.userId],
  );
  assert.equal((await (await open(admin))(`/envelopes/${envelope.envelopeId}`)).status, 200);
  simulator.assertNoProblems();
});

for (const [spelling, keys] of [
  ["lower", ["name", "email", "userId"]],
  ["capitalised", ["Name", "Email", "UserId"]],
] as const) {
  test(`a delegation appears at both recipients in ${spelling} words`, async () => {
    const { simulator, admin, sender, stranger, open } = await openStory();
    await using _ = simulator;
    const envelope = await simulator.sendEnvelope({ from: stranger, to: [admin] });

    await simulator.delegate(envelope, admin, sender, spelling);

    const { json } = await (await open(admin))(`/envelopes/${envelope.envelopeId}?include=recipients`);
    const [original, delegate] = rowsOf(within(json, "recipients", "signers"));
    assert.deepEqual(Object.keys(rowsOf(original?.["delegatedTo"])[0] ?? {}), keys);
    assert.deepEqual(within(delegate, "delegatedBy", keys[2]), admin.userId);
    simulator.assertNoProblems();
  });
}

test("users are seen by themselves and by administrators, with DocuSign's capital True", async () => {
  const { simulator, admin, sender, open } = await openStory();
  await using _ = simulator;
  const [asAdmin, asSender] = [await open(admin), await open(sender)];

  const full = await asAdmin(`/users/${admin.userId}?additional_info=true`);
  const bare = await asAdmin(`/users/${sender.userId}`);
  const refused = await asSender(`/users/${admin.userId}`);
  const profiles = await asAdmin("/permission_profiles");
  const account = await asSender("");

  assert.deepEqual([full.json["isAdmin"], full.json["permissionProfileName"]], ["True", "DS Admin"]);
  assert.equal(within(full.json, "userSettings", "apiAccountWideAccess"), "true");
  assert.deepEqual([bare.json["isAdmin"], bare.json["userSettings"]], ["False", undefined]);
  assert.equal(refused.json["errorCode"], "USER_LACKS_PERMISSIONS");
  const shown = rowsOf(profiles.json["permissionProfiles"]).map((row) => row["permissionProfileName"]);
  assert.deepEqual(shown, ["DS Admin", "DS Sender"]);
  assert.equal(account.json["planName"], "Enterprise");
  simulator.assertNoProblems();
});
