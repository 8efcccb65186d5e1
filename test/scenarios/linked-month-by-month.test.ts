import assert from "node:assert/strict";
import { test } from "node:test";
import type { Account, User } from "../support/docusign/state.ts";
import { createWorld, type World } from "../support/world.ts";

/** import-rules 2.1, following the two tables of the help page: months in Japan, links without gaps between them. */
const MONTHS = {
  jan: "2030-12-31T15:00:00Z",
  feb: "2031-01-31T15:00:00Z",
  mar: "2031-02-28T15:00:00Z",
  apr: "2031-03-31T15:00:00Z",
};

type Company = { readonly account: Account; readonly colleague: User };

type Table = {
  readonly title: string;
  /** The user who is linked in February, and whether that user has another account than X. */
  readonly february: { readonly name: string; readonly hasOtherAccount: boolean };
  readonly news: Readonly<Record<"jan" | "feb" | "mar", readonly string[]>>;
};

const JANUARY = ["received by x in jan", "received by x in past", "sent by a in jan", "sent by a in past"];

const TABLES: readonly Table[] = [
  {
    title: "users of different accounts, X in January, Y in February, X in March",
    february: { name: "y", hasOtherAccount: true },
    news: {
      jan: JANUARY,
      feb: [
        "received by y in feb",
        "received by y in jan",
        "received by y in past",
        "sent by b in feb",
        "sent by b in jan",
        "sent by b in past",
      ],
      mar: ["received by x in feb", "received by x in mar", "sent by a in feb", "sent by a in mar"],
    },
  },
  {
    title: "users of the same account, X in January, Z in February, X in March",
    february: { name: "z", hasOtherAccount: false },
    news: {
      jan: JANUARY,
      feb: ["received by z in feb", "received by z in jan", "received by z in past", "sent by a in feb"],
      mar: ["received by x in feb", "received by x in mar", "sent by a in mar"],
    },
  },
];

for (const { title, february, news } of TABLES) {
  test(`${title}: each month imports what the help page shows`, async () => {
    await using world = await createWorld({ at: MONTHS.jan });
    const a = company(world, "A");
    const b = february.hasOtherAccount ? company(world, "B") : null;
    const x = world.docusign.addUser(a.account, { name: "X", role: "DS Admin" });
    const other = world.docusign.addUser((b ?? a).account, { name: february.name, role: "DS Admin" });
    const story = createStory(world, { a, ...(b !== null && { b }), x, [february.name]: other });

    await story.beforeAllLinks("2030-11-20T01:00:00Z");
    await world.link(x);
    await story.month("jan", MONTHS.feb);
    assert.deepEqual(await story.news(), news.jan);

    await story.relink(other, MONTHS.feb);
    await story.month("feb", MONTHS.mar);
    assert.deepEqual(await story.news(), news.feb);

    await story.relink(x, MONTHS.mar);
    await story.month("mar", MONTHS.apr);
    assert.deepEqual(await story.news(), news.mar);
  });
}

function company(world: World, name: string): Company {
  const account = world.docusign.addAccount({ name });
  return {
    account,
    colleague: world.docusign.addUser(account, { name: `${name}の社員`, role: "DS Sender" }),
  };
}

type Cast = { readonly [name: string]: Company | User };

/** Each month, each company sends an envelope to a stranger, and a stranger sends one to each user. */
function createStory(world: World, cast: Cast) {
  const stranger = company(world, "取引先").colleague;
  const told = new Set<string>();
  const conclude = async (month: string, at: Date): Promise<void> => {
    for (const [name, one] of Object.entries(cast)) {
      const wish =
        "colleague" in one
          ? {
              from: one.colleague,
              to: [{ name: "客", email: "kyaku@example.com" }],
              subject: `sent by ${name} in ${month}`,
            }
          : { from: stranger, to: [{ user: one }], subject: `received by ${name} in ${month}` };
      await world.docusign.concludeEnvelope({ ...wish, completedAt: at });
    }
  };
  return {
    beforeAllLinks: async (at: string) => await conclude("past", new Date(at)),
    /** Every second event is lost, and the hourly reconciliation finds those envelopes. The month ends with its last hour. */
    async month(month: string, end: string) {
      await world.runJobs();
      world.clock.pass(10 * 24 * 60 * 60 * 1000);
      world.docusign.loseNext(2);
      await conclude(month, world.clock.now);
      await world.runHour();
      world.clock.now = new Date(new Date(end).getTime() - 60 * 60 * 1000);
      await world.runHour();
      assert.equal(world.clock.now.toISOString(), new Date(end).toISOString());
    },
    async relink(user: User, at: string) {
      assert.equal(world.clock.now.toISOString(), new Date(at).toISOString());
      assert.equal((await (await world.api()).send("DELETE", "/v1/link")).status, 204);
      assert.equal(await world.link(user), "linked");
    },
    /** Returns the subjects imported since the last call, in alphabetical order. */
    async news() {
      const subjects = (await world.contracts()).map((contract) => String(contract.source.subject));
      const fresh = subjects.filter((subject) => !told.has(subject));
      for (const subject of fresh) told.add(subject);
      assert.equal(new Set(subjects).size, subjects.length, "nothing is imported twice");
      return fresh.sort();
    },
  };
}
