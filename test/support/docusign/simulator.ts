import { AssertionError } from "node:assert";
import { createAccountRoutes } from "./account-routes.ts";
import { messagesOf } from "./connect-events.ts";
import { type ConnectVerbs, createConnectRoutes, createConnectVerbs } from "./connect-routes.ts";
import { createDeliveries, type DeliveryVerbs } from "./deliveries.ts";
import { createEnvelopeRoutes } from "./envelope-routes.ts";
import { createEnvelopeVerbs, type EnvelopeVerbs } from "./envelope-verbs.ts";
import type { Call, Template } from "./exchange.ts";
import { createFaults, type FaultVerbs } from "./faults.ts";
import { createCallLimits, type Limits } from "./limits.ts";
import type { LoginVerbs } from "./login.ts";
import { createLoginRoutes } from "./login-routes.ts";
import { createOAuth, type OAuthVerbs } from "./oauth.ts";
import { createPeople, type PeopleVerbs } from "./people.ts";
import { docusignSchema } from "./schema.ts";
import { type Away, startServer } from "./server.ts";
import { type Account, createDocuSignState, type DocuSignState, type OldSite } from "./state.ts";
import { createTokenRoutes } from "./token-routes.ts";

export type SimulatorOptions = {
  /** DocuSign's clock; the machine's by default. */
  now?: () => Date;
  /** Connect keys of the account that owns the integration key: they sign integrator-managed messages. */
  hmacKeys?: readonly string[];
  clientId: string;
  clientSecret: string;
  /** Registered return addresses; any is taken by default. */
  redirectUris?: readonly string[];
  /** True if requests and answers are held against DocuSign's description; on unless switched off. */
  validate?: boolean;
  latencyMs?: number;
  /** Without, calls are counted but not limited. */
  limits?: Limits;
};

export type DocuSignSimulator = PeopleVerbs &
  EnvelopeVerbs &
  LoginVerbs &
  OAuthVerbs &
  ConnectVerbs &
  DeliveryVerbs &
  FaultVerbs &
  AsyncDisposable & {
    /** DOCUSIGN_OAUTH_URL; accounts have the same base_uri. */
    readonly url: string;
    readonly state: DocuSignState;
    /** Every known request, in the order of arrival. */
    readonly calls: Call[];
    callsTo(template: Template): Call[];
    /** Problems that must fail the test: unknown requests, wrong tokens, violations of DocuSign's description. */
    readonly problems: string[];
    /** Returns and clears the problems, for a test that provokes them. */
    takeProblems(): string[];
    assertNoProblems(): void;
    /** Other keys for integrator-managed messages from now on, held ones included. */
    setHmacKeys(keys: readonly string[]): void;
    /** Other integrations of the customer use the account's budget too. */
    spendCalls(account: Account, calls: number): void;
    /** The account's calls are refused until then. */
    throttle(account: Account, until: Date): void;
    setLimits(limits: Limits): void;
    /** Moves the account to a site of its own; from now on the old site answers like this for it. */
    moveAccount(account: Account, oldSite: OldSite): Promise<void>;
  };

/**
 * A DocuSign on this machine: state, account server, eSignature API and Connect. It listens on a free port.
 *
 *     await using docusign = await startDocuSignSimulator({ clientId: "torikomi", clientSecret: "secret", hmacKeys: ["key"] });
 *     const account = docusign.addAccount({ name: "株式会社甲" });
 *     const admin = docusign.addUser(account, { name: "山田", role: "DS Admin" });
 *     const returnAddress = await docusign.authorize(authorizationUrl, admin);
 *     const envelope = await docusign.concludeEnvelope({ from: admin, to: [{ name: "乙", email: "otsu@example.com" }] });
 *     docusign.failNext(1, { status: 503 }, "/envelopes/{envelopeId}");
 *     docusign.assertNoProblems();
 *
 * Verbs that bring Connect messages resolve when these are posted (or held, after `holdDeliveries`).
 */
export async function startDocuSignSimulator(options: SimulatorOptions): Promise<DocuSignSimulator> {
  if (process.env["NODE_ENV"] === "production")
    throw new Error("the DocuSign simulator is not for production");
  const { now = () => new Date(), validate = true } = options;
  const state = createDocuSignState(now);
  const keys = { current: options.hmacKeys ?? [] };
  const record = { calls: new Array<Call>(), problems: new Array<string>() };
  const schema = validate ? docusignSchema() : null;
  const oauth = createOAuth(state);
  const limits = createCallLimits(now, options.limits);
  const faults = createFaults();
  const deliveries = createDeliveries();
  const address = { url: "" };
  const shared = { state, oauth, problems: record.problems, schema };
  const login = createLoginRoutes({ ...shared, client: options, origin: () => address.url });
  const tokens = createTokenRoutes({ ...shared, client: options, baseUri: () => address.url });
  const rest = {
    ...shared,
    limits,
    includesIgnored: () => faults.includesIgnored,
    listingHabits: () => faults.listingHabits,
  };
  const parts = {
    routes: [
      ...login.routes,
      ...tokens,
      ...createEnvelopeRoutes(rest),
      ...createAccountRoutes(rest),
      ...createConnectRoutes(rest),
    ],
    faults,
    ...record,
    now,
    latencyMs: options.latencyMs ?? 0,
  };
  await using opened = new AsyncDisposableStack();
  const server = await startServer({ ...parts, away: (call) => awayFrom(state, call) });
  opened.defer(async () => await server.close());
  address.url = server.url;
  const { dispatch, ...deliveryVerbs } = deliveries;
  const kept = opened.move();
  const { revokeConsent, expireAccessTokens, keepOldRefreshTokens, lengthenCodes } = oauth;
  return {
    ...createPeople(state),
    ...createEnvelopeVerbs(state, (occurrence) =>
      dispatch(messagesOf(state, occurrence, () => keys.current)),
    ),
    ...login.verbs,
    revokeConsent,
    expireAccessTokens,
    keepOldRefreshTokens,
    lengthenCodes,
    ...createConnectVerbs(),
    ...deliveryVerbs,
    ...faults.verbs,
    ...records(record),
    url: server.url,
    state,
    setHmacKeys: (changed) => {
      keys.current = changed;
    },
    spendCalls: (account, calls) => void limits.spend(account.accountId, calls),
    throttle: (account, until) => limits.throttle(account.accountId, until),
    setLimits: (changed) => limits.setLimits(changed),
    moveAccount: async (account, oldSite) => {
      const there = await startServer({ ...parts, away: () => null });
      kept.defer(async () => await there.close());
      account.moved = { site: there.url, oldSite };
    },
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

function awayFrom({ accounts }: DocuSignState, { accountId, path }: Call): Away | null {
  const moved = accounts.get(accountId ?? "")?.moved ?? null;
  return moved === null ? null : ANSWERS_AWAY[moved.oldSite](`${moved.site}${path}`);
}

const ANSWERS_AWAY: Readonly<Record<OldSite, (address: string) => Away>> = {
  "no connection": () => "hangs-up",
  "404 HTML": () => ({ status: 404, html: "<html><body>Not found</body></html>" }),
  "401": () => ({ status: 401, body: { errorCode: "AUTHORIZATION_INVALID_TOKEN", message: "x" } }),
  "307": (address) => ({ status: 307, headers: { Location: address } }),
  "unknown 400": () => ({ status: 400, body: { errorCode: "ACCOUNT_SERVED_ELSEWHERE", message: "x" } }),
  silence: () => "hangs",
};

type Records = Pick<
  DocuSignSimulator,
  "calls" | "callsTo" | "problems" | "takeProblems" | "assertNoProblems"
>;

function records({ calls, problems }: { calls: Call[]; problems: string[] }): Records {
  return {
    calls,
    callsTo: (template) => calls.filter((call) => call.template === template),
    problems,
    takeProblems: () => problems.splice(0),
    assertNoProblems: () => {
      if (problems.length === 0) return;
      throw new AssertionError({
        message: `DocuSign was misused:\n${problems.join("\n")}`,
        actual: problems,
        expected: [],
      });
    },
  };
}
