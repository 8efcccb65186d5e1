import { randomInt, randomUUID } from "node:crypto";
import {
  type Account,
  type DocuSignState,
  type Membership,
  membershipOf,
  type Role,
  type SigningGroup,
  type User,
} from "./state.ts";

export type AccountWish = {
  name?: string;
  plan?: string;
  /** True if the plan has Connect, and Recipient Connect; both by default. */
  connect?: boolean;
  recipientConnect?: boolean;
  /** Keys of the account's own Connect settings. */
  hmacKeys?: readonly string[];
};

export type MembershipWish = {
  role: Role;
  isAdmin?: boolean;
  apiAccountWideAccess?: boolean;
  profileName?: string;
  status?: string;
};

export type UserWish = MembershipWish & { name: string; email?: string };

/** Accounts, their users, and what these may do. */
export type PeopleVerbs = {
  addAccount(wish?: AccountWish): Account;
  /** A new user; the account becomes their default account. The e-mail address need not be unique. */
  addUser(account: Account, wish: UserWish): User;
  /** Makes a user a member of one more account; the default account stays. */
  addMembership(account: Account, user: User, wish: MembershipWish): void;
  setDefaultAccount(user: User, account: Account): void;
  /** A signing group of any users. */
  addSigningGroup(name: string, members: readonly User[]): SigningGroup;
  /** The group has these members from now on. Earlier members keep sight of its envelopes. */
  changeSigningGroup(group: SigningGroup, members: readonly User[]): void;
  /** Changes the role of the user, with its usual rights or the given ones. */
  setRole(user: User, account: Account, role: Role, rights?: Partial<Membership>): void;
  /** Earlier envelopes keep the old address, which no longer identifies the user. */
  changeAddress(user: User, email: string): void;
  /** Closes the user in this account, or in all of theirs. */
  closeUser(user: User, account?: Account): void;
};

/** The verbs of people, changing the state at once. */
export function createPeople(state: DocuSignState): PeopleVerbs {
  return {
    addAccount: (wish = {}) => addAccount(state, wish),
    addUser: (account, wish) => addUser(state, account, wish),
    addMembership: (account, user, wish) => {
      user.memberships.set(account.accountId, newMembership(wish));
    },
    setDefaultAccount: (user, account) => {
      membershipOf(user, account);
      user.defaultAccountId = account.accountId;
    },
    addSigningGroup: (name, members) => ({
      groupId: String(randomInt(100_000, 999_999)),
      name,
      members: new Set(members),
      shown: members,
    }),
    changeSigningGroup: (group, members) => {
      group.shown = members;
      for (const member of members) group.members.add(member);
    },
    setRole: (user, account, role, rights = {}) => {
      const { status } = membershipOf(user, account);
      user.memberships.set(account.accountId, { ...newMembership({ role, status }), ...rights });
    },
    changeAddress: (user, email) => {
      user.email = email;
    },
    closeUser: (user, account) => {
      const closed = account === undefined ? [...user.memberships.values()] : [membershipOf(user, account)];
      for (const membership of closed) membership.status = "Closed";
    },
  };
}

function addAccount(state: DocuSignState, wish: AccountWish): Account {
  const accountId = randomUUID();
  const account: Account = {
    accountId,
    name: wish.name ?? `会社 ${state.accounts.size + 1}`,
    plan: wish.plan ?? "Enterprise",
    connect: wish.connect ?? true,
    recipientConnect: wish.recipientConnect ?? true,
    hmacKeys: wish.hmacKeys ?? [`own key of ${accountId}`],
    configurations: new Map(),
    failures: [],
    connectRefusal: null,
    moved: null,
    shownConfiguration: (there) => there,
  };
  state.accounts.set(accountId, account);
  state.sentBy.set(accountId, []);
  return account;
}

function addUser(state: DocuSignState, account: Account, wish: UserWish): User {
  const userId = randomUUID();
  const user: User = {
    userId,
    name: wish.name,
    email: wish.email ?? `${userId}@example.com`,
    memberships: new Map([[account.accountId, newMembership(wish)]]),
    defaultAccountId: account.accountId,
  };
  state.users.set(userId, user);
  return user;
}

function newMembership(wish: MembershipWish): Membership {
  const admin = wish.role === "DS Admin";
  return {
    role: wish.role,
    isAdmin: wish.isAdmin ?? admin,
    apiAccountWideAccess: wish.apiAccountWideAccess ?? admin,
    profileName: wish.profileName ?? (wish.role === "custom" ? "Custom" : wish.role),
    profileId: PROFILE_IDS[wish.role],
    status: wish.status ?? "Active",
  };
}

/** Numbers as a real account has; their values say nothing. */
const PROFILE_IDS: Record<Role, string> = {
  "DS Admin": "2301416",
  "DS Sender": "2301417",
  "DS Viewer": "2301418",
  custom: "2305520",
};
