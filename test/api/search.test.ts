import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCursor } from "../../src/web/api/cursor.ts";
import { createWorld, type World } from "../support/world.ts";
import { type ContractWish, id, storeTestContract, storeTestLink } from "./stored.ts";

const PERSON = { email: "person@example.com" };
const SIGNER = { ...PERSON, role: "signer", completedAt: null };

/** Names of a contract, a query, and if the query finds it. */
const SEARCHES: readonly (readonly [names: Names, q: string, found: boolean])[] = [
  [{ fileName: "秘密保持契約書.pdf" }, "契約", true],
  [{ fileName: "秘密保持契約書.pdf" }, "保持契約書", true],
  [{ fileName: "秘密保持契約書.pdf" }, "約契", false],
  [{ fileName: "秘密保持契約書.pdf" }, "約", true],
  [{ fileName: "秘密保持契約書.pdf" }, "覚", false],
  [{ fileName: "キャビネ.pdf" }, "ｷｬﾋﾞﾈ", true],
  [{ fileName: "ｷｬﾋﾞﾈ.pdf" }, "キャビネ", true],
  [{ fileName: "ＮＤＡ.PDF" }, "nda.p", true],
  [{ fileName: "ΟΔΟΣ ΑΒΓ.pdf" }, "οδοσ", true],
  [{ fileName: "ΟΔΟΣΑ.pdf" }, "ΟΔΟΣ", true],
  [{ fileName: "𠮷野家.pdf" }, "𠮷", true],
  [{ fileName: "50% 割引_a.pdf" }, "0%", true],
  [{ fileName: "50% 割引_a.pdf" }, "引_", true],
  [{ fileName: "500 割引.pdf" }, "50%", false],
  [{ fileName: "割引a.pdf" }, "引_", false],
  [{ fileName: "割引.pdf" }, "%", false],
  [{ fileName: "a\\b.pdf" }, "a\\b", true],
  [{ subject: "ご契約のお願い" }, "お願い", true],
  [{ fileName: "甲乙", subject: "丙丁" }, "乙丙", false],
  [{ fileName: "甲乙", subject: "丙丁" }, "乙\uFFFF丙", false],
  [{ fileName: "甲乙" }, "乙\0", false],
  [{ sender: "佐藤 太郎" }, "藤 太", true],
  [{ recipients: ["鈴木 花子", "田中 一"] }, "田中", true],
  [{ sender: "佐藤" }, "person@", false],
  [{ recipients: ["佐藤"] }, "example", false],
  [{ fileName: `${"あ".repeat(60)}い${"あ".repeat(60)}` }, "あ".repeat(100), false],
  [{ fileName: `${"あ".repeat(99)}い` }, `${"あ".repeat(99)}い`, true],
];

type Names = { fileName?: string; subject?: string; sender?: string; recipients?: string[] };

test("a search finds literal parts of names, however wide or capital their letters are", async (t) => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);

  for (const [names, q, found] of SEARCHES) {
    await t.test(
      `${JSON.stringify(names)} ${found ? "has" : "does not have"} ${JSON.stringify(q)}`,
      async () => {
        const { id: contractId } = await storeTestContract(world, { linkId, ...wishOf(names) });

        const ids = await listIds(world, `q=${encodeURIComponent(q)}&limit=200`);

        assert.equal(ids.includes(contractId), found);
      },
    );
  }
});

test("a search neither finds deleted contracts nor those of another tenant or group", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const kept = await storeTestContract(world, { linkId, fileName: "覚書.pdf" });
  const other = await storeTestContract(world, { linkId, fileName: "覚書.pdf", groupId: "group-2" });
  const deleted = await storeTestContract(world, { linkId, fileName: "覚書.pdf" });
  const theirs = await storeTestLink(world, { tenant: "tenant-2" });
  await storeTestContract(world, { linkId: theirs, tenant: "tenant-2", fileName: "覚書.pdf" });

  await (await world.api()).send("DELETE", `/v1/contracts/${deleted.id}`);

  assert.deepEqual((await listIds(world, "q=覚書")).toSorted(), [kept.id, other.id].toSorted());
  assert.deepEqual(await listIds(world, "q=覚書&group=group-2"), [other.id]);
  assert.deepEqual(await listIds(world, "q=覚書&group=group-3"), []);
  assert.deepEqual(await listIds(world, `q=覚書&envelopeId=${kept.source.envelopeId}`), [kept.id]);
  assert.deepEqual(await listIds(world, `q=覚書&accountId=${kept.source.accountId}`), [kept.id]);
});

test("a search continues from block to block, and each page from where the last one ended", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const { db } = world.service.foundation.serving;
  const stored: string[] = [];
  for (let count = 0; count < 12; count += 1) {
    world.clock.pass(1_000);
    // Four contracts each are of one block, and the second block has no match.
    if (count % 4 === 0 && count > 0)
      await db
        .insertInto("contract_block")
        .values({ tenant: "tenant-1", starts_at: world.clock.now })
        .execute();
    const fileName = count >= 4 && count < 8 ? "契約書.pdf" : "覚書.pdf";
    const { id: contractId } = await storeTestContract(world, { linkId, fileName });
    if (fileName === "覚書.pdf") stored.unshift(contractId);
  }

  const pages = await listPages(world, "q=覚書&limit=3");

  assert.deepEqual(pages.flat(), stored);
  assert.deepEqual(
    pages.map((page) => page.length),
    [3, 3, 2],
  );
});

test("contracts of one moment are listed by position, unknown ones last, then by id, page by page", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const ids = [1, 2, 3, 4, 5, 6].map((digit) => id<any>(`00000000-0000-4000-8000-00000000000${digit}`));
  const positions = [null, 2, null, 1, 1, 10];
  for (const [index, position] of positions.entries())
    await storeTestContract(world, { linkId, id: ids[index], ...sourceOf({ position }) });
  const expected = [ids[3], ids[4], ids[1], ids[5], ids[0], ids[2]];

  for (const limit of [1, 2, 5, 6]) {
    assert.deepEqual((await listPages(world, `limit=${limit}`)).flat(), expected, String(limit));
    assert.deepEqual((await listPages(world, `limit=${limit}&q=契約`)).flat(), expected, String(limit));
  }
});

test("a list that began with a cursor of version 0.1 has each contract once", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const stored: { id: string; importedAt: Date }[] = [];
  for (let count = 0; count < 9; count += 1) {
    if (count % 4 === 0) world.clock.pass(1);
    stored.push(await storeTestContract(world, { linkId, ...sourceOf({ position: (count * 7) % 5 }) }));
  }
  // In the order of version 0.1.
  const old = stored.toSorted(
    (one, other) => +other.importedAt - +one.importedAt || (one.id < other.id ? 1 : -1),
  );

  for (const [index, last] of old.entries()) {
    const cursor = encodeCursor([last.importedAt.toISOString(), last.id]);
    for (const limit of [1, 2, 9]) {
      const rest = (await listPages(world, `limit=${limit}`, cursor)).flat();

      const passed = old.slice(0, index + 1).map((one) => one.id);
      assert.deepEqual([...passed, ...rest].toSorted(), old.map((one) => one.id).toSorted());
    }
  }
});

test("a search is limited to dates of conclusion, in short and long ranges", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const dates = ["1999-12-31", "2029-12-31", "2030-01-01", "2031-12-31", "2032-01-01", "2034-06-15"];
  for (const concludedOn of dates) await storeTestContract(world, { linkId, concludedOn });
  const api = await world.api();

  for (const [from, to] of [
    ["2030-01-01", "2030-01-01"],
    ["2029-12-31", "2031-12-31"],
    ["2030-01-01", "2034-06-14"],
    [undefined, "2030-01-01"],
    ["2031-12-31", undefined],
    ["0001-01-01", "9999-12-31"],
    ["2030-01-02", "2030-01-01"],
    ["2035-01-01", undefined],
  ]) {
    const range = `${from === undefined ? "" : `&concludedFrom=${from}`}${to === undefined ? "" : `&concludedTo=${to}`}`;
    const { body } = await api.get(`/v1/contracts?q=契約${range}`);

    const found = body.items.map((one: { concludedOn: string }) => one.concludedOn).toSorted();
    const expected = dates.filter((date) => date >= (from ?? "") && date <= (to ?? "9999-12-31"));
    assert.deepEqual(found, expected, range);
  }
});

test("contracts are filtered by envelope and account, in small or capital letters", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const wanted = await storeTestContract(world, { linkId });
  await storeTestContract(world, { linkId });
  const { envelopeId, accountId } = wanted.source;

  for (const filter of [`envelopeId=${envelopeId}`, `accountId=${accountId}`]) {
    const [name, value = ""] = filter.split("=");
    assert.deepEqual(await listIds(world, filter), [wanted.id]);
    assert.deepEqual(await listIds(world, `${name}=${value.toUpperCase()}`), [wanted.id]);
  }
});

test("contracts are filtered by an inclusive range of moments of import", async () => {
  await using world = await createWorld({ at: "2031-01-15T03:10:00.000Z" });
  const linkId = await storeTestLink(world);
  const ids: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    ids.unshift((await storeTestContract(world, { linkId })).id);
    world.clock.pass(1);
  }
  const [third, second, first] = ids;
  const cases: readonly (readonly [string, readonly (string | undefined)[]])[] = [
    ["importedFrom=2031-01-15T03:10:00.001Z", [third, second]],
    ["importedTo=2031-01-15T03:10:00.001Z", [second, first]],
    ["importedFrom=2031-01-15T12:10:00.001%2B09:00&importedTo=2031-01-14T22:10:00.001-05:00", [second]],
    ["importedFrom=2031-01-15T03:10:00.0001Z&importedTo=2031-01-15T03:10:00.0019Z", [second]],
    ["importedFrom=2031-01-15T03:10:00.00100Z&importedTo=2031-01-15T03:10:00.001000000Z", [second]],
    ["importedTo=0000-01-01T00:00:00Z", []],
  ];

  for (const [query, expected] of cases) {
    assert.deepEqual(await listIds(world, query), expected, query);
    assert.deepEqual(await listIds(world, `${query}&q=契約`), expected, query);
  }
});

const REFUSED = [
  "q=",
  `q=${encodeURIComponent("あ".repeat(101))}`,
  "q=a&q=b",
  "envelopeId=1",
  "envelopeId=",
  "accountId=00000000-0000-4000-8000-00000000000g",
  "importedFrom=2031-01-15",
  "importedFrom=2031-01-15T03:10:00",
  "importedTo=2031-01-15T03:10:00+09:00",
  "importedTo=2031-02-30T03:10:00Z",
  "importedTo=today",
];

test("invalid filters are rejected by name, and a query has up to 100 code points", async () => {
  await using world = await createWorld();
  const api = await world.api();

  for (const query of REFUSED) {
    const { status, body } = await api.get(`/v1/contracts?${query}`);
    assert.equal(status, 400, query);
    assert.match(body.detail, new RegExp(`"${query.split("=")[0]}"`));
  }
  for (const q of ["𠮷".repeat(100), "﷽".repeat(100), " "])
    assert.equal((await api.get(`/v1/contracts?q=${encodeURIComponent(q)}`)).status, 200);
});

test("the feed's entries of a contract show the sender and the recipients, in a form that version 0.1 reads", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const completedAt = new Date("2031-01-15T03:00:00.000Z");
  const recipients = [{ ...SIGNER, name: "鈴木", completedAt }];
  await storeTestContract(world, { linkId, ...sourceOf({ position: 2, recipients }) });

  const [{ contract }] = (await (await world.api()).get("/v1/changes")).body.items;

  assert.deepEqual(contract.source.recipients, [
    { ...recipients[0], completedAt: "2031-01-15T03:00:00.000Z" },
  ]);
  assert.deepEqual([contract.source.position, contract.source.sender], [2, null]);
  const { db } = world.service.foundation.serving;
  const row: any = await db.selectFrom("change").select("contract").executeTakeFirstOrThrow();
  assert.deepEqual(Object.keys(row.contract.source).toSorted(), [
    "accountId",
    "completedAt",
    "documentId",
    "envelopeId",
    "subject",
  ]);
});

function wishOf({ fileName = "x", subject, sender, recipients }: Names): Omit<ContractWish, "linkId"> {
  return {
    fileName,
    ...sourceOf({
      subject: subject ?? null,
      sender: sender === undefined ? null : { ...PERSON, name: sender },
      recipients: recipients?.map((name) => ({ ...SIGNER, name })) ?? null,
    }),
  };
}

function sourceOf(more: Partial<NonNullable<ContractWish["source"]>>): Pick<ContractWish, "source"> {
  return {
    source: {
      envelopeId: id(),
      documentId: "1",
      accountId: id(),
      completedAt: new Date("2031-01-15T03:00:00.000Z"),
      subject: null,
      position: null,
      sender: null,
      recipients: null,
      ...more,
    },
  };
}

async function listIds(world: World, query: string): Promise<string[]> {
  const { status, body } = await (await world.api()).get(`/v1/contracts?${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.items.map((one: { id: string }) => one.id);
}

async function listPages(world: World, query: string, from?: string): Promise<string[][]> {
  const api = await world.api();
  const pages: string[][] = [];
  let cursor = from;
  do {
    const { body } = await api.get(
      `/v1/contracts?${query}${cursor === undefined ? "" : `&cursor=${cursor}`}`,
    );
    pages.push(body.items.map((one: { id: string }) => one.id));
    cursor = body.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return pages;
}
