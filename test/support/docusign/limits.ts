export type Limits = {
  /** Calls an hour and account; not limited by default. */
  hourly?: number;
  /** Calls in 30 seconds and account; not limited by default. */
  burst?: number;
  /** Status for an exceeded limit: 429 as documented, or 400 as before. */
  status?: 429 | 400;
  /** Value of X-RateLimit-Reset instead of the next full hour; null omits it. */
  reset?: string | null;
  /** True if more calls than `hourly` are refused; true by default. */
  isKept?: boolean;
  /** True if answers report calls and limits; true by default. */
  isTold?: boolean;
};

type Spending = {
  hour: number;
  spent: number;
  window: number;
  spentInWindow: number;
  throttledUntil: number;
};

export type Budget = {
  readonly headers: Record<string, string>;
  /** DocuSign's error code where the call is one too many. */
  readonly exceeded: string | null;
};

/** Counts the calls to each account, as DocuSign does over all integrations together. */
export type CallLimits = {
  /** Takes `calls` from the account's budget, and says what is left. */
  spend(accountId: string, calls: number): Budget;
  /** Every call of the account is one too many until then. */
  throttle(accountId: string, until: Date): void;
  setLimits(limits: Limits): void;
  readonly status: 429 | 400;
};

const HOUR_MS = 3_600_000;
const WINDOW_MS = 30_000;
/** Limit shown for an account without limits: far more than any test calls. */
const UNLIMITED = 1_000_000_000;

/** The hour is the clock's full hour: DocuSign resets on it. */
export function createCallLimits(now: () => Date, initial: Limits = {}): CallLimits {
  let limits = initial;
  const accounts = new Map<string, Spending>();
  return {
    spend: (accountId, calls) => {
      const spending = currentSpending(accounts, accountId, now().getTime());
      spending.spent += calls;
      spending.spentInWindow += calls;
      return budgetOf(spending, limits, now().getTime());
    },
    throttle: (accountId, until) => {
      currentSpending(accounts, accountId, now().getTime()).throttledUntil = until.getTime();
    },
    setLimits: (changed) => {
      limits = changed;
    },
    get status() {
      return limits.status ?? 429;
    },
  };
}

function currentSpending(accounts: Map<string, Spending>, accountId: string, now: number): Spending {
  const hour = Math.floor(now / HOUR_MS);
  const window = Math.floor(now / WINDOW_MS);
  const spending = accounts.get(accountId) ?? { hour, spent: 0, window, spentInWindow: 0, throttledUntil: 0 };
  accounts.set(accountId, spending);
  if (spending.hour !== hour) Object.assign(spending, { hour, spent: 0 });
  if (spending.window !== window) Object.assign(spending, { window, spentInWindow: 0 });
  return spending;
}

function budgetOf(spending: Spending, limits: Limits, now: number): Budget {
  const { hourly = UNLIMITED, burst = UNLIMITED } = limits;
  const throttled = spending.throttledUntil > now;
  const resetAt = throttled ? spending.throttledUntil : (spending.hour + 1) * HOUR_MS;
  const reset = limits.reset === undefined ? String(Math.ceil(resetAt / 1000)) : limits.reset;
  const overHour = throttled || (spending.spent > hourly && limits.isKept !== false);
  const headers = {
    "X-RateLimit-Limit": String(hourly),
    "X-RateLimit-Remaining": String(throttled ? 0 : Math.max(0, hourly - spending.spent)),
    ...(reset === null ? {} : { "X-RateLimit-Reset": reset }),
    "X-BurstLimit-Limit": String(burst),
    "X-BurstLimit-Remaining": String(Math.max(0, burst - spending.spentInWindow)),
  };
  return {
    headers: limits.isTold === false ? {} : headers,
    exceeded: exceededLimit(overHour, spending.spentInWindow > burst),
  };
}

function exceededLimit(overHour: boolean, overBurst: boolean): string | null {
  if (overHour) return "HOURLY_APIINVOCATION_LIMIT_EXCEEDED";
  return overBurst ? "BURST_APIINVOCATION_LIMIT_EXCEEDED" : null;
}
