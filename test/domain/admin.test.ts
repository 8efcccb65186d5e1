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

test("an active administrator who reaches the whole account by one of DocuSign's own profiles is DS Admin", () => {
  assert.equal(isDsAdmin(admin, PROFILES), true);
});

const refused: { who: string; facts: Partial<AdminFacts> }[] = [
  { who: "no administrator", facts: { isAdmin: false } },
  { who: "an administrator who does not reach the whole account", facts: { accountWideAccess: false } },
  { who: "an administrator of a custom profile", facts: { profileName: "DS Admin (copy)" } },
  { who: "a sender", facts: { profileName: "DS Sender" } },
  { who: "an administrator whose profile is not told", facts: { profileName: null } },
  { who: "a closed user", facts: { status: "Closed" } },
  { who: "a user who has not activated yet", facts: { status: "ActivationSent" } },
];

for (const { who, facts } of refused) {
  test(`${who} is not DS Admin`, () => {
    assert.equal(isDsAdmin({ ...admin, ...facts }, PROFILES), false);
  });
}

test("profiles and states are the same in any case, and with blanks around the profile", () => {
  assert.equal(isDsAdmin({ ...admin, profileName: " ds ADMIN\t" }, PROFILES), true);
  assert.equal(isDsAdmin({ ...admin, status: "ACTIVE" }, PROFILES), true);
  assert.equal(isDsAdmin(admin, ["ds admin"]), true);
});

test("a user whose state is not told counts as active", () => {
  assert.equal(isDsAdmin({ ...admin, status: null }, PROFILES), true);
});

test("where any profile will do, the rights are asked for all the same", () => {
  assert.equal(isDsAdmin({ ...admin, profileName: "契約管理者" }, ["DS Admin", "*"]), true);
  assert.equal(isDsAdmin({ ...admin, profileName: null }, ["*"]), true);
  assert.equal(isDsAdmin({ ...admin, isAdmin: false }, ["*"]), false);
  assert.equal(isDsAdmin({ ...admin, status: "Closed" }, ["*"]), false);
});

test("where no profile is named, nobody is DS Admin", () => {
  assert.equal(isDsAdmin(admin, []), false);
});
