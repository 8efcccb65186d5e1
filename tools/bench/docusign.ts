import { createHash, randomBytes } from "node:crypto";
import { createDocuSignOAuth, type DocuSignOAuth } from "../../src/docusign/oauth.ts";
import { startDocuSignSimulator } from "../../test/support/docusign/simulator.ts";
import type { Account, User } from "../../test/support/docusign/state.ts";
import { serveParent } from "./child.ts";
import { CLIENT } from "./docusign-client.ts";
import type { LinkedUser } from "./seed.ts";

/** The bench's DocuSign: the simulator, without holding everything against DocuSign's description, which takes time. */
type Customer = { readonly account: Account; readonly colleague: User };

const AT_ONCE = 200;

const [latencyMs = "0"] = process.argv.slice(2);
const docusign = await startDocuSignSimulator({ ...CLIENT, validate: false, latencyMs: Number(latencyMs) });
const oauth = createDocuSignOAuth({
  ...CLIENT,
  oauthUrl: docusign.url,
  redirectUri: "http://127.0.0.1/links/docusign/callback",
});
const customers = new Map<string, Customer>();

serveParent(
  {
    url: () => docusign.url,
    addUsers: async (count: number) => {
      const users: LinkedUser[] = [];
      // Side by side, since a login takes several calls.
      while (users.length < count) {
        const group = Array.from({ length: Math.min(AT_ONCE, count - users.length) }, addUser);
        users.push(...(await Promise.all(group)));
      }
      return users;
    },
    conclude,
    takeCalls,
    problems: () => docusign.takeProblems(),
  },
  async () => await docusign[Symbol.asyncDispose](),
);

/** How many calls of each kind came since the last time, by the path's template. */
function takeCalls(): Record<string, number> {
  const calls = Object.groupBy(docusign.calls.splice(0), ({ template }) => template);
  return Object.fromEntries(Object.entries(calls).map(([template, found]) => [template, found.length]));
}

/** An admin of an account of their own, who lets the service in as people do. */
async function addUser(): Promise<LinkedUser> {
  const account = docusign.addAccount();
  const admin = docusign.addUser(account, { name: "連携 太郎", role: "DS Admin" });
  const colleague = docusign.addUser(account, { name: "営業 花子", role: "DS Sender" });
  customers.set(account.accountId, { account, colleague });
  return {
    accountId: account.accountId,
    userId: admin.userId,
    email: admin.email,
    baseUri: docusign.url,
    ...(await logIn(oauth, admin)),
  };
}

async function logIn(
  { authorizationUrl, exchangeCode }: DocuSignOAuth,
  user: User,
): Promise<Pick<LinkedUser, "accessToken" | "refreshToken">> {
  const codeVerifier = randomBytes(32).toString("base64url");
  const codeChallenge = createHash("sha256").update(codeVerifier).digest("base64url");
  const returned = new URL(
    await docusign.authorize(authorizationUrl({ state: "bench", codeChallenge }), user),
  );
  return await exchangeCode({ code: returned.searchParams.get("code") ?? "", codeVerifier });
}

/** Envelopes of one document that the colleague sent to somebody outside; the first ones completed first. */
async function conclude(wish: {
  accountId: string;
  count: number;
  sizeInBytes?: number;
  completedAt?: Date;
}): Promise<string[]> {
  const { colleague } = customers.get(wish.accountId) ?? {};
  if (colleague === undefined) throw new Error("no such account");
  const last = (wish.completedAt ?? new Date()).getTime();
  const ids: string[] = [];
  for (let left = wish.count; left > 0; left -= 1) {
    const { envelopeId } = await docusign.concludeEnvelope({
      from: colleague,
      to: [{ name: "取引先 次郎", email: "jiro@customer.example" }],
      completedAt: new Date(last - (left - 1) * 1000),
      documents: [
        {
          name: "業務委託契約書.pdf",
          ...(wish.sizeInBytes !== undefined && { sizeInBytes: wish.sizeInBytes }),
        },
      ],
    });
    ids.push(envelopeId);
  }
  return ids;
}
