import type { Account, SigningGroup, User } from "../support/docusign/state.ts";
import type { World } from "../support/world.ts";

/** Somebody with a part: users of an account, what stories call them, and the accounts that they can send from. */
export type Player = { readonly name: string; readonly user: User; readonly accounts: readonly Account[] };

export type Cast = {
  readonly accounts: readonly Account[];
  readonly players: readonly Player[];
  /** The users that tenants try to link: two DS Admins each of kou and otsu, and one user without that role. hei is never linked. */
  readonly linkable: readonly Player[];
  /** kou's admin and otsu's deputy, any of whom may sign for the group. */
  readonly signingGroup: SigningGroup;
};

export const TENANTS = ["tenant-1", "tenant-2"] as const;
export const GROUPS = ["group-1", "group-2"] as const;

/** Which of the three accounts have Connect, and Recipient Connect beyond it. */
export type Plans = readonly { readonly connect: boolean; readonly recipientConnect: boolean }[];

/** Three companies. In each, somebody has the admin's e-mail address; kou's deputy also is a sender of otsu's. */
export function castPeople({ docusign }: World, plans: Plans): Cast {
  const companies = ["kou", "otsu", "hei"].map((name, index) => {
    const account = docusign.addAccount({ name, ...plans[index] });
    const add = (part: string, role: "DS Admin" | "DS Sender" | "DS Viewer" | "custom", email?: string) => ({
      name: `${name}'s ${part}`,
      user: docusign.addUser(account, {
        name: `${name} ${part}`,
        role,
        ...(email !== undefined && { email }),
      }),
      accounts: [account],
    });
    const email = `${name}@Example.com`;
    return {
      account,
      admin: add("admin", "DS Admin", email),
      deputy: add("deputy", "DS Admin"),
      others: [add("sender", "DS Sender"), add("namesake", "custom", email), add("viewer", "DS Viewer")],
    };
  });
  const [kou, otsu] = companies;
  if (kou === undefined || otsu === undefined) throw new Error("there are no companies");
  docusign.addMembership(otsu.account, kou.deputy.user, { role: "DS Sender" });
  const guest = { ...kou.deputy, accounts: [kou.account, otsu.account] };
  const players = companies.flatMap(({ admin, deputy, others }) => [
    admin,
    deputy === kou.deputy ? guest : deputy,
    ...others,
  ]);
  const linkable = players.filter(({ name }) => /^(kou|otsu)'s (admin|deputy)$|^kou's namesake$/.test(name));
  const signingGroup = docusign.addSigningGroup("either of them", [kou.admin.user, otsu.deputy.user]);
  return { accounts: companies.map(({ account }) => account), players, linkable, signingGroup };
}
