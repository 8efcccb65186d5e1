import assert from "node:assert/strict";
import { test } from "node:test";
import { type AdminFacts, isDsAdmin } from "../../src/domain/admin.ts";

const PROFILES = ["Account Administrator", "DS Admin"];

const admin: AdminFacts = {
  isAdmin: true,
  accountWideAccess: true,
  profileName: "DS Admin",
  status: "Active",
};

test("an active administrator with account-wide access and one of DocuSign's own profiles is a DS Admin", () => {
  assert.equal(isDsAdmin(admin, PROFILES), true);
});

const refused: { who: string; facts: Partial<AdminFacts> }[] = [
  { who: "a user who is not an administrator", facts: { isAdmin: false } },
  { who: "an administrator without account-wide access", facts: { accountWideAccess: false } },
  { who: "an administrator with a custom profile", facts: { profileName: "DS Admin (copy)" } },
  { who: "a sender", facts: { profileName: "DS Sender" } },
  { who: "an administrator whose profile is unknown", facts: { profileName: null } },
  { who: "a closed user", facts: { status: "Closed" } },
  { who: "a user who has not activated yet", facts: { status: "ActivationSent" } },
];

for (const { who, facts } of refused) {
  test(`${who} is not a DS Admin`, () => {
    assert.equal(isDsAdmin({ ...admin, ...facts }, PROFILES), false);
  });
}

test("profiles and states are compared ignoring case, and profiles also ignoring surrounding whitespace", () => {
  assert.equal(isDsAdmin({ ...admin, profileName: " ds ADMIN\t" }, PROFILES), true);
  assert.equal(isDsAdmin({ ...admin, status: "ACTIVE" }, PROFILES), true);
  assert.equal(isDsAdmin(admin, ["ds admin"]), true);
});

test("a user whose state is unknown counts as active", () => {
  assert.equal(isDsAdmin({ ...admin, status: null }, PROFILES), true);
});

test("if any profile is accepted, the rights are still required", () => {
  assert.equal(isDsAdmin({ ...admin, profileName: "契約管理者" }, ["DS Admin", "*"]), true);
  assert.equal(isDsAdmin({ ...admin, profileName: null }, ["*"]), true);
  assert.equal(isDsAdmin({ ...admin, isAdmin: false }, ["*"]), false);
  assert.equal(isDsAdmin({ ...admin, status: "Closed" }, ["*"]), false);
});

test("without accepted profiles, nobody is a DS Admin", () => {
  assert.equal(isDsAdmin(admin, []), false);
});
