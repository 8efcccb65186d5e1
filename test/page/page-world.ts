import assert from "node:assert/strict";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import type { Person } from "../support/cabinet/people.ts";
import type { User } from "../support/docusign/state.ts";
import { type Companies, createCompanies } from "../support/linked-world.ts";
import type { World, WorldOptions } from "../support/world.ts";

/** The label of the button in DocuSign's login. */
const ALLOW = "アクセスの許可";

/** Companies, two groups, and browsers for people. */
export type PageWorld = Companies & {
  /** Opens a separate browser, signed in to the page. */
  visit(who?: "owner" | "member" | Person, options?: BrowserContextOptions): Promise<Page>;
  /** Opens a separate browser without a sign-in. */
  stranger(options?: BrowserContextOptions): Promise<Page>;
};

/** Everything that a page test needs. A violation of the page's security policy or a script error fails the test. */
export async function createPageWorld(
  chromiumOf: () => Promise<Browser>,
  options: WorldOptions = {},
): Promise<PageWorld> {
  await using opened = new AsyncDisposableStack();
  const companies = opened.use(await createCompanies(options));
  const { world } = companies;
  const browser = await chromiumOf();
  const complaints: string[] = [];
  const api = await world.api();
  assert.equal((await api.send("PUT", "/v1/groups/sales", { name: "営業部の契約書" })).status, 200);
  assert.equal((await api.send("PUT", "/v1/groups/legal", { name: "法務部の契約書" })).status, 200);
  const kept = opened.move();
  const open = async (settings: BrowserContextOptions): Promise<Page> => {
    const context = kept.adopt(
      await browser.newContext({ locale: "ja-JP", baseURL: world.url, ...settings }),
      async (one) => await one.close(),
    );
    listen(context, complaints);
    return await context.newPage();
  };
  return {
    ...companies,
    async visit(who = "owner", settings = {}) {
      const page = await open(settings);
      world.cabinet.nextSignIn(personOf(world, who));
      await page.goto("/links");
      return page;
    },
    stranger: async (settings = {}) => await open(settings),
    async [Symbol.asyncDispose]() {
      await kept.disposeAsync();
      assert.deepEqual(complaints, []);
    },
  };
}

function personOf(world: World, who: "owner" | "member" | Person): Person {
  if (who === "owner") return world.owner();
  if (who !== "member") return world.cabinet.addPerson(who);
  return world.cabinet.addPerson({ sub: "member", name: "一般 社員", tenant: "tenant-1", role: "member" });
}

function listen(context: BrowserContext, complaints: string[]): void {
  context.on("weberror", (error) => complaints.push(error.error().message));
  context.on("console", (line) => {
    if (line.type() === "error" && /Content Security Policy/i.test(line.text())) complaints.push(line.text());
  });
}

/** Clicks [連携] and lets this user allow access at DocuSign. Returns when the page shows the result. */
export async function linkOnPage(
  { world }: PageWorld,
  page: Page,
  user: User,
  group = "営業部の契約書",
): Promise<void> {
  world.docusign.nextLogin(user);
  await clickLink(page, group);
  await page.waitForURL(/\/links\?result=/);
}

/** Makes the choices, clicks [連携] and waits for DocuSign's login; a browser still on its way there cannot go back. */
export async function chooseAndLink(page: Page, group = "営業部の契約書"): Promise<void> {
  await clickLink(page, group);
  await page.getByRole("button", { name: ALLOW }).waitFor();
}

async function clickLink(page: Page, group: string): Promise<void> {
  await page.getByLabel("取り込み先契約書グループ").selectOption(group);
  await page.getByLabel("連携サービス").selectOption("DocuSign");
  await page.getByRole("button", { name: "連携", exact: true }).click();
}

/** Logs in as the user on DocuSign's own page and allows access. */
export async function logIn(page: Page, user: User): Promise<void> {
  await page.getByLabel("メールアドレス").fill(user.email);
  await page.getByRole("button", { name: ALLOW }).click();
}

/** Returns the text of the page's message. */
export async function messageOn(page: Page): Promise<string> {
  return await page.locator(".message [role=status], .message [role=alert]").first().innerText();
}

/** Returns the text of the link's state. */
export async function stateOn(page: Page): Promise<string> {
  return (await page.locator(".heading .badge").innerText()).replace(/^状態：/, "").trim();
}
