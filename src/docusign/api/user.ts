import { z } from "zod";
import { isActive } from "../../domain/admin.ts";
import { parseAnswer, unreadableAnswer } from "../wire/answers.ts";
import { anyField, isObject, readFlag, readRows, rowsField, textField } from "../wire/fields.ts";

/** A user of an account, with what decides whether import-rules 5 lets them link it. */
export type AccountUser = {
  readonly isAdmin: boolean;
  /** Has API access to all envelopes of the account. */
  readonly accountWideAccess: boolean;
  /** Name of the permission profile, as the account shows it. */
  readonly profileName: string | null;
  /** `Active`, `Closed`, … */
  readonly status: string | null;
  readonly name: string | null;
  readonly email: string | null;
};

const userAnswer = z.object({
  isAdmin: anyField,
  permissionProfileName: textField,
  userStatus: textField,
  userName: textField,
  email: textField,
  userSettings: anyField,
});

/**
 * Parses the answer of `GET /users/{userId}?additional_info=true`. A right that is missing is not granted. An answer
 * without any right and without a profile, for a user who may be active, throws the fault `unreadable-answer`.
 */
export function readUser(raw: unknown): AccountUser {
  const answer = parseAnswer(userAnswer, raw);
  const settings = settingsOf(answer.userSettings);
  const isSilent = (answer.isAdmin ?? null) === null && settings.size === 0;
  if (isSilent && answer.permissionProfileName === null && isActive(answer.userStatus))
    throw unreadableAnswer();
  return {
    isAdmin: readFlag(answer.isAdmin ?? settings.get("canmanageaccount")),
    accountWideAccess: readFlag(settings.get("apiaccountwideaccess")),
    profileName: answer.permissionProfileName,
    status: answer.userStatus,
    name: answer.userName,
    email: answer.email,
  };
}

const usersAnswer = z.object({ users: rowsField });
const userRow = z.object({ userName: textField, email: textField });

/** Parses the answer of `GET /users`. */
export function readUsers(raw: unknown): readonly Pick<AccountUser, "name" | "email">[] {
  return (parseAnswer(usersAnswer, raw).users ?? []).map((user) => {
    const { userName, email } = userRow.parse(user);
    return { name: userName, email };
  });
}

/** Returns the settings by lower-case name. DocuSign sends an object; older versions sent a list of names and values. */
function settingsOf(raw: unknown): ReadonlyMap<string, unknown> {
  const entries = isObject(raw)
    ? Object.entries(raw)
    : (readRows(raw) ?? []).map(({ name, value }): [string, unknown] => [String(name), value]);
  return new Map(entries.map(([name, value]) => [name.toLowerCase(), value]));
}
