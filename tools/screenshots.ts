import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { createPageWorld, linkOnPage, type PageWorld } from "../test/page/page-world.ts";
import { launchChromium } from "../test/support/chromium.ts";
import type { Account, Envelope, User } from "../test/support/docusign/state.ts";
import { concludeUnheard } from "../test/support/linked-world.ts";
import { SERVER_VARIABLE, startTestServer } from "../test/support/postgres.ts";
import type { World } from "../test/support/world.ts";

/**
 * Takes the pictures of the page's main states: `node tools/screenshots.ts [--every-look] [FOLDER [STATE…]]`. Every
 * look is wide and narrow, light and dark; without, only the overview has them all.
 */
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const [folder = "docs/screenshots", ...names] = words;
const everyLook = process.argv.includes("--every-look");
const target = resolve(folder);

/** States whose whole page is worth a look; of the others the first screen is enough. */
const WHOLE = /^(linked$|linked-narrow$|inquiry)/;

const LOOKS: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ["", { viewport: { width: 1280, height: 1000 } }],
  ["-dark", { viewport: { width: 1280, height: 1000 }, colorScheme: "dark" }],
  ["-narrow", { viewport: { width: 320, height: 640 } }],
  ["-narrow-dark", { viewport: { width: 320, height: 640 }, colorScheme: "dark" }],
  // As a browser shows a window of 1280 pixels at 200 %.
  ["-large", { viewport: { width: 640, height: 500 }, deviceScaleFactor: 2 }],
  ["-print", { viewport: { width: 1280, height: 1000 } }],
];

type Scene = {
  readonly name: string;
  readonly largeImport?: number;
  readonly role?: "owner" | "member";
  /** Brings the state about; returns the address to look at. */
  play(place: PageWorld, cast: Cast): Promise<string>;
  /** Leads the browser to what is only shown once. */
  arrive?(place: PageWorld, page: Page, cast: Cast): Promise<void>;
};

type Cast = {
  readonly account: Account;
  readonly admin: User;
  readonly colleague: User;
  readonly customer: User;
};

const SCENES: readonly Scene[] = [
  { name: "setting-up", play: async () => "/links" },
  { name: "linked", play: async (place, cast) => `/links${(await liveADay(place, cast)) && ""}` },
  {
    name: "member",
    role: "member",
    play: async (place, cast) => `/links${(await liveADay(place, cast)) && ""}`,
  },
  {
    name: "inquiry",
    play: async (place, cast) => `/links?envelope=${(await liveADay(place, cast)).envelopeId}#inquiry`,
  },
  {
    name: "approval",
    largeImport: 40,
    play: async (place, cast) => {
      await concludeMany(place.world, cast, 48);
      await link(place, cast);
      return "/links";
    },
  },
  {
    name: "first-import",
    play: async (place, cast) => {
      await concludeMany(place.world, cast, 48);
      await link(place, cast);
      await importSome(place.world);
      return "/links";
    },
  },
  {
    name: "error",
    play: async (place, cast) => {
      await concludeMany(place.world, cast, 6);
      await link(place, cast);
      await place.world.runJobs();
      place.world.docusign.revokeConsent(cast.admin);
      await place.world.runHour();
      return "/links";
    },
  },
  {
    name: "editing",
    play: async (place, cast) => {
      await link(place, cast);
      return "/links?edit=1";
    },
  },
  {
    name: "deletion",
    play: async (place, cast) => {
      await link(place, cast);
      return "/links/delete";
    },
  },
  {
    name: "envelopes",
    play: async (place, cast) => `/links/envelopes?outcome=imported${(await liveADay(place, cast)) && ""}`,
  },
  {
    name: "search",
    play: async (place, cast) =>
      `/links?q=${encodeURIComponent("別紙")}${(await liveADay(place, cast)) && ""}#contracts`,
  },
  {
    name: "group-missing",
    play: async (place, cast) => {
      await link(place, cast);
      await place.world.runJobs();
      await (await place.world.api()).send("DELETE", "/v1/groups/sales");
      return "/links";
    },
  },
  {
    name: "notice",
    play: async (place, cast) => {
      await link(place, cast);
      await place.world.runJobs();
      const { docusign, clock } = place.world;
      docusign.throttle(cast.account, new Date(clock.now.getTime() + 3 * 60 * 60 * 1000));
      await place.world.runHour();
      return "/links";
    },
  },
  { name: "no-link-member", role: "member", play: async () => "/links" },
  {
    name: "forbidden",
    role: "member",
    play: async (place, cast) => {
      await link(place, cast);
      return "/links/delete";
    },
  },
  { name: "not-found", play: async () => "/links/nowhere" },
  {
    name: "not-admin",
    play: async () => "/links",
    arrive: async (place, page, cast) => await linkOnPage(place, page, cast.colleague),
  },
  {
    name: "paused",
    play: async (place, cast) => {
      await link(place, cast);
      await place.world.runJobs();
      await (await place.world.api()).send("POST", "/v1/link/pause");
      return "/links";
    },
  },
];

await mkdir(target, { recursive: true });
await using server = await startTestServer();
process.env[SERVER_VARIABLE] = server.adminUrl;
const browser = await launchChromium();
try {
  for (const scene of SCENES)
    if (names.length === 0 || names.includes(scene.name)) await take(scene, browser);
} finally {
  await browser.close();
}

async function take(scene: Scene, with_: Browser): Promise<void> {
  await using place = await createPageWorld(async () => with_, {
    config: { largeImport: scene.largeImport ?? 10_000 },
    expectErrors: true,
  });
  const cast = createCast(place.world);
  const address = await scene.play(place, cast);
  const looks = everyLook || scene.name === "linked" ? LOOKS : LOOKS.slice(0, 1);
  for (const [look, options] of looks) {
    const page = await place.visit(scene.role, { ...options, reducedMotion: "reduce" });
    if (look === "-print") await page.emulateMedia({ media: "print" });
    await page.goto(address);
    await scene.arrive?.(place, page, cast);
    await shoot(page, `${scene.name}${look}`);
    await page.context().close();
  }
}

async function shoot(page: Page, name: string): Promise<void> {
  const path = join(target, `${name}.png`);
  await page.screenshot({ path, fullPage: everyLook || WHOLE.test(name), animations: "disabled" });
  process.stdout.write(`${name}\n`);
}

function createCast({ docusign }: World): Cast {
  const account = docusign.addAccount({ name: "株式会社青葉商事", recipientConnect: false });
  const elsewhere = docusign.addAccount({ name: "取引先株式会社" });
  return {
    account,
    admin: docusign.addUser(account, { name: "連携 太郎", email: "taro@aoba.example", role: "DS Admin" }),
    colleague: docusign.addUser(account, {
      name: "営業 花子",
      email: "hanako@aoba.example",
      role: "DS Sender",
    }),
    customer: docusign.addUser(elsewhere, {
      name: "取引 次郎",
      email: "jiro@torihiki.example",
      role: "DS Sender",
    }),
  };
}

async function link(place: PageWorld, cast: Cast): Promise<void> {
  const page = await place.visit();
  await linkOnPage(place, page, cast.admin);
  await page.context().close();
}

async function concludeMany(world: World, cast: Cast, count: number): Promise<Envelope[]> {
  const envelopes: Envelope[] = [];
  for (let number = 1; number <= count; number += 1) {
    const completedAt = new Date(world.clock.now.getTime() - number * 7 * 60 * 60 * 1000);
    envelopes.push(await concludeUnheard(world, { ...wish(cast, number), completedAt }));
  }
  return envelopes;
}

/** Most are sent by the company, some reach a colleague from outside, and some hold two files. */
function wish({ admin, colleague, customer }: Cast, number: number) {
  const documents = [
    { name: `業務委託契約書 第${number}号.docx` },
    ...(number % 5 === 0 ? [{ name: `別紙 第${number}号.pdf` }] : []),
  ];
  if (number % 4 === 0)
    return { from: customer, to: [{ user: number % 8 === 0 ? admin : colleague }], documents };
  return { from: colleague, to: [{ user: customer }], subject: `業務委託契約書 第${number}号`, documents };
}

/** A link that ended, the one after it, and a day of hours with what events brought and what they missed. */
async function liveADay(place: PageWorld, cast: Cast): Promise<Envelope> {
  const { world } = place;
  const [first] = await concludeMany(world, cast, 30);
  await link(place, cast);
  await world.runJobs();
  await world.runHour();
  const page = await place.visit();
  await page.getByRole("button", { name: "削除" }).click();
  await page.getByRole("button", { name: "削除" }).click();
  await page.context().close();
  world.clock.pass(20 * 60 * 1000);
  await link(place, cast);
  await world.runJobs();
  for (let hour = 0; hour < 18; hour += 1) await liveAnHour(world, cast, hour);
  for (const number of [201, 202]) {
    const purged = await concludeUnheard(world, wish(cast, number));
    await world.docusign.purgeDocuments(purged, "documents_purged");
  }
  world.docusign.serveNextDownloadAs("this is not a PDF");
  await concludeUnheard(world, wish(cast, 203));
  await world.runHour();
  const [contract] = await world.contracts();
  await (await world.api()).send("DELETE", `/v1/contracts/${contract.id}`);
  if (first === undefined) throw new Error("nothing was concluded");
  return [...world.docusign.state.envelopes.values()].find(({ documents }) => documents.length > 2) ?? first;
}

async function liveAnHour(world: World, cast: Cast, hour: number): Promise<void> {
  world.clock.pass(10 * 60 * 1000);
  for (let number = 0; number < (hour * 5) % 7; number += 1) {
    const made = wish(cast, hour * 7 + number + 31);
    if ((hour + number) % 6 === 0) await concludeUnheard(world, made);
    else await world.docusign.concludeEnvelope(made);
  }
  await world.runJobs();
  await world.runHour();
}

/** A few of the envelopes that the first listing found; the rest still waits. */
async function importSome(world: World): Promise<void> {
  const { tasks } = world.service.foundation;
  const { findCurrentLink } = await import("../src/store/links/links.ts");
  const { reconcileStep } = await import("../src/usecases/reconciling/reconcile-link.ts");
  const { runBacklogTurn } = await import("../src/usecases/importing/import-backlog.ts");
  const found = await findCurrentLink(tasks.db, "tenant-1");
  if (found === null) throw new Error("there is no link");
  await reconcileStep(tasks, { linkId: found.id, to: world.clock.now });
  await runBacklogTurn(tasks, { linkId: found.id, lane: 0, signal: new AbortController().signal });
}
