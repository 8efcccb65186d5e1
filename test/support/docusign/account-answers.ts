import { flag } from "./formats.ts";
import { type Account, type Membership, membershipOf, type User } from "./state.ts";

type Json = Record<string, unknown>;

/** A user as seen in the account; the settings only if the caller asked for additional information. */
export function userAnswer(user: User, account: Account, additionalInfo: boolean): Json {
  const membership = membershipOf(user, account);
  return {
    userName: user.name,
    userId: user.userId,
    userType: "CompanyUser",
    // Unlike every other flag of DocuSign's, this one is written with a capital.
    isAdmin: membership.isAdmin ? "True" : "False",
    userStatus: membership.status,
    uri: `/users/${user.userId}`,
    email: user.email,
    createdDateTime: "2019-04-01T00:00:00.0000000Z",
    permissionProfileId: membership.profileId,
    permissionProfileName: membership.profileName,
    ...(additionalInfo ? { userSettings: settingsAnswer(membership) } : {}),
  };
}

function settingsAnswer(membership: Membership): Json {
  return {
    canManageAccount: flag(membership.isAdmin),
    apiAccountWideAccess: flag(membership.apiAccountWideAccess),
    canSendEnvelope: flag(membership.role !== "DS Viewer"),
    canSendAPIRequests: "true",
    accountManagementGranular: { canManageConnect: flag(membership.isAdmin) },
  };
}

/** The account as its members may see it. */
export function accountAnswer(account: Account): Json {
  return {
    accountIdGuid: account.accountId,
    accountName: account.name,
    planName: account.plan,
    planClassification: account.plan.toLowerCase(),
    connectPermission: account.connect ? "full" : "none",
    suspensionStatus: "",
    envelopeSendingBlocked: "false",
    currencyCode: "JPY",
    isDowngrade: "false",
  };
}

/** The account's Connect features. */
export function accountSettingsAnswer(account: Account): Json {
  return {
    allowRecipientConnect: flag(account.recipientConnect),
    allowConnectHttpListenerConfigs: flag(account.connect),
    hasRecipientConnectClaimedDomain: flag(account.recipientConnect),
  };
}

/** The permission profiles in use in the account. */
export function permissionProfilesAnswer(account: Account, users: Iterable<User>): Json {
  const profiles = new Map<string, Json>();
  for (const user of users) {
    const membership = user.memberships.get(account.accountId);
    if (membership !== undefined) profiles.set(membership.profileName, profileAnswer(membership));
  }
  return { permissionProfiles: [...profiles.values()] };
}

function profileAnswer(membership: Membership): Json {
  return {
    permissionProfileId: membership.profileId,
    permissionProfileName: membership.profileName,
    settings: {
      allowAccountManagement: flag(membership.isAdmin),
      allowApiAccess: "true",
      allowApiAccessToAccount: flag(membership.apiAccountWideAccess),
      allowEnvelopeSending: flag(membership.role !== "DS Viewer"),
    },
  };
}
