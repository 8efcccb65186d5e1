import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { runNextDay } from "../support/configured-connect.ts";
import type { ConnectConfiguration } from "../support/docusign/connect-configuration.ts";
import type { Failure } from "../support/docusign/faults.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  endLink,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { HOUR_MS } from "../support/reconciling.ts";
import type { WorldOptions } from "../support/world.ts";

/** The fields of the link that differ from a healthy one within the hour. */
type Sight = {
  readonly cause?: "authorization-revoked" | "not-admin" | "group-missing";
  readonly notice?: string;
  readonly connect?: string;
};

/** The way back. Linking again takes [連携] and DocuSign's login; linking another user takes [削除] twice before. */
type Way = "itself" | "stays" | "link again" | "link another" | "choose a group";

type Death = {
  readonly happens: (companies: Companies) => void | Promise<void>;
  readonly seen: Sight;
  /** The customer repairs this at DocuSign before. */
  readonly undone?: (companies: Companies) => void | Promise<void>;
  readonly way: Way;
  readonly options?: WorldOptions;
};

const NOTHING: Sight = {};
const REVOKED: Sight = { cause: "authorization-revoked" };
const NOT_ADMIN: Sight = { cause: "not-admin" };

/** The answers that DocuSign might give where it documents none. The last two prove nothing about the user. */
const UNVERIFIED: readonly (readonly [what: string, failure: Failure, seen: Sight])[] = [
  ["400 ACCOUNT_HAS_BEEN_SUSPENDED", refusal(400, "ACCOUNT_HAS_BEEN_SUSPENDED"), NOT_ADMIN],
  ["401 USER_AUTHENTICATION_FAILED", refusal(401, "USER_AUTHENTICATION_FAILED"), REVOKED],
  ["403 ACCOUNT_LACKS_PERMISSIONS", refusal(403, "ACCOUNT_LACKS_PERMISSIONS"), NOT_ADMIN],
  ["404 USER_NOT_FOUND", refusal(404, "USER_NOT_FOUND"), NOT_ADMIN],
];

function refusal(status: number, errorCode: string): Failure {
  return { status, body: { errorCode, message: "x" } };
}

const DEATHS: Readonly<Record<string, Death>> = {
  "nothing happens": { happens: () => {}, seen: NOTHING, way: "itself" },
  "the user's password changes": {
    happens: ({ world, admin }) => world.docusign.revokeConsent(admin),
    seen: REVOKED,
    way: "link again",
  },
  "the user withdraws the consent": {
    happens: ({ world, admin }) => world.docusign.revokeConsent(admin),
    seen: REVOKED,
    way: "link again",
  },
  "the company enforces SSO": {
    happens: ({ world, admin }) => world.docusign.revokeConsent(admin),
    seen: REVOKED,
    way: "link again",
  },
  "the user is closed": {
    happens: ({ world, admin }) => world.docusign.closeUser(admin),
    seen: REVOKED,
    way: "link another",
  },
  "the user loses the admin right": {
    happens: ({ world, admin, account }) => world.docusign.setRole(admin, account, "DS Sender"),
    seen: NOT_ADMIN,
    undone: ({ world, admin, account }) => world.docusign.setRole(admin, account, "DS Admin"),
    way: "itself",
  },
  "the user loses the admin right for good": {
    happens: ({ world, admin, account }) => world.docusign.setRole(admin, account, "DS Sender"),
    seen: NOT_ADMIN,
    way: "link another",
  },
  "the permission profile is renamed": {
    happens: ({ world, admin, account }) =>
      world.docusign.setRole(admin, account, "DS Admin", { profileName: "Our Admins" }),
    seen: NOT_ADMIN,
    undone: ({ world, admin, account }) => world.docusign.setRole(admin, account, "DS Admin"),
    way: "itself",
  },
  "the plan loses Connect": {
    happens: ({ world, account }) => {
      world.docusign.refuseConnect(account, "ACCOUNT_LACKS_PERMISSIONS");
      removeConfigurations({ world, account });
    },
    seen: { connect: "not-available" },
    way: "stays",
  },
  "the account moves to another site": {
    happens: async ({ world, account }) => await world.docusign.moveAccount(account, "401"),
    seen: NOTHING,
    way: "itself",
  },
  "the user's default account changes": {
    happens: ({ world, admin }) => {
      const other = world.docusign.addAccount({ name: "別会社" });
      world.docusign.addMembership(other, admin, { role: "DS Admin" });
      world.docusign.setDefaultAccount(admin, other);
    },
    seen: NOTHING,
    way: "itself",
  },
  "a person pauses the configurations": {
    happens: async (companies) => await changeConfigurations(companies, { pausePublish: "true" }),
    seen: { connect: "switched-off", notice: "connect-switched-off" },
    way: "stays",
  },
  "a person deletes the configurations": {
    happens: removeConfigurations,
    seen: NOTHING,
    way: "itself",
  },
  "a person changes the address of the configurations": {
    happens: async (companies) =>
      await changeConfigurations(companies, { urlToPublishTo: "https://elsewhere.example/hook" }),
    seen: NOTHING,
    way: "itself",
  },
  "a person changes the events of the configurations": {
    happens: async (companies) => await changeConfigurations(companies, { events: ["envelope-sent"] }),
    seen: NOTHING,
    way: "itself",
  },
  "a Connect key is retired": {
    happens: ({ world }) => world.docusign.setHmacKeys(["a key that only DocuSign knows"]),
    seen: NOTHING,
    way: "itself",
  },
  "the integration key is revoked or its secret rotated": {
    happens: ({ world }) => {
      world.clock.pass(9 * HOUR_MS);
      world.docusign.failNext(1_000, { status: 401, body: { error: "invalid_client" } }, "/oauth/token");
    },
    seen: { notice: "docusign-unavailable" },
    undone: ({ world }) => world.docusign.calmDown(),
    way: "itself",
    options: { expectErrors: true },
  },
  "the refresh token expires while the service is down for a month": {
    happens: ({ world }) => world.clock.pass(31 * 24 * HOUR_MS),
    seen: REVOKED,
    way: "link again",
  },
  "the answer with a rotated refresh token is lost": {
    happens: ({ world }) => {
      world.clock.pass(9 * HOUR_MS);
      let isCut = false;
      world.docusign.cutWhere(({ template }) => {
        if (template !== "/oauth/token" || isCut) return null;
        isCut = true;
        return "after";
      });
    },
    // The next refresh finds out whether DocuSign still takes the old token.
    seen: { notice: "docusign-unavailable" },
    undone: async ({ world }) => await world.runHour(),
    way: "link again",
  },
  "the group is deleted": {
    happens: async ({ world }) => void (await (await world.api()).send("DELETE", "/v1/groups/group-1")),
    seen: { cause: "group-missing" },
    way: "choose a group",
  },
  "the cabinet's user who linked leaves": {
    happens: ({ world }) => world.cabinet.nextSignIn(world.owner("tenant-2")),
    seen: NOTHING,
    way: "itself",
  },
  "the user's e-mail address changes": {
    happens: ({ world, admin }) => world.docusign.changeAddress(admin, "new@example.com"),
    seen: NOTHING,
    way: "itself",
  },
  "other integrations use up the hourly calls": {
    happens: ({ world, account }) =>
      world.docusign.throttle(account, new Date(world.clock.now.getTime() + 24 * HOUR_MS)),
    seen: { notice: "account-throttled" },
    undone: ({ world }) => world.clock.pass(24 * HOUR_MS),
    way: "itself",
  },
  "DocuSign refuses the listings": {
    happens: ({ world }) => world.docusign.failNext(1_000, refusal(403, "UNKNOWN"), "/envelopes"),
    seen: { notice: "docusign-unavailable" },
    undone: ({ world }) => world.docusign.calmDown(),
    way: "itself",
    options: { expectErrors: true },
  },
  "our clock is an hour fast": {
    happens: ({ world }) => world.clock.pass(HOUR_MS),
    seen: NOTHING,
    way: "itself",
  },
  "the encryption key is lost": {
    happens: async ({ world }) =>
      await world.restart({ encryptionKeys: [{ id: "another", key: randomBytes(32) }] }),
    seen: REVOKED,
    way: "link again",
    options: { expectErrors: true },
  },
  ...Object.fromEntries(
    UNVERIFIED.map(([what, failure, seen]): [string, Death] => [
      `account or user is suspended, closed or without API access, and DocuSign answers ${what}`,
      {
        happens: ({ world }) =>
          world.docusign.failNext(1_000, failure, ({ template }) => !template.startsWith("/oauth/")),
        seen,
        undone: ({ world }) => world.docusign.calmDown(),
        way: "itself",
        options: { expectErrors: true },
      },
    ]),
  ),
};

for (const [name, death] of Object.entries(DEATHS)) {
  test(`if ${name}, the owner sees it within the hour, the link comes back, and nothing is lost`, async () => {
    await using companies = await createLinkedCompanies(death.options);
    const { world, colleague } = companies;
    await death.happens(companies);
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "meanwhile" });

    await world.runHour();
    assertSeen(await linkOf(world), death.seen);

    await death.undone?.(companies);
    await goBack(companies, death.way);
    await runNextDay(world);
    assert.deepEqual(await subjects(world), ["meanwhile"]);
    assertSeen(await linkOf(world), death.way === "stays" ? death.seen : NOTHING);
  });
}

function assertSeen(link: any, { cause, notice, connect = "active" }: Sight): void {
  const seen = { state: link.state, cause: link.cause?.code, notice: link.notice?.code };
  assert.deepEqual(seen, { state: cause === undefined ? "active" : "error", cause, notice });
  if (cause === undefined) assert.deepEqual(link.connect, { sent: connect, received: connect });
  else assert.match(link.cause.message, /連携してください|元に戻してください|選択してください/);
}

async function goBack({ world, account, admin }: Companies, way: Way): Promise<void> {
  if (way === "link again") assert.equal(await world.link(admin), "linked");
  if (way === "choose a group") {
    const api = await world.api();
    await api.send("PUT", "/v1/groups/other", { name: "別の契約書" });
    assert.equal((await api.send("PATCH", "/v1/link", { groupId: "other" })).status, 200);
  }
  if (way === "link another") {
    assert.equal((await endLink(world)).status, 204);
    const successor = world.docusign.addUser(account, { name: "後任", role: "DS Admin" });
    assert.equal(await world.link(successor), "linked");
  }
}

function removeConfigurations({ world, account }: Pick<Companies, "account" | "world">): void {
  for (const { connectId } of world.docusign.configurations(account))
    world.docusign.removeConfiguration(account, connectId);
}

/** The daily look at Connect sees it. */
async function changeConfigurations(
  { world, account }: Companies,
  changes: Partial<ConnectConfiguration>,
): Promise<void> {
  for (const { connectId } of world.docusign.configurations(account))
    world.docusign.changeConfiguration(account, connectId, changes);
  await runNextDay(world);
}
