import type { RecipientWish } from "../support/docusign/envelopes.ts";
import type { SigningGroup } from "../support/docusign/state.ts";
import type { Cast, Player } from "./cast.ts";
import type { Named } from "./model.ts";
import type { To } from "./moves.ts";
import { pick, pickOf, type Stage } from "./stage.ts";

const GROUPS = [
  "signers",
  "carbonCopies",
  "certifiedDeliveries",
  "inPersonSigners",
  "agents",
  "editors",
  "intermediaries",
  "witnesses",
  "notaries",
  "newcomers",
];
/** A recipient as DocuSign stores it, as the model sees it, and as the story names it. */
export type Chosen = {
  readonly wish: RecipientWish;
  readonly named: Named;
  readonly told: string;
  /** The members, if the recipient is a signing group. */
  readonly members: readonly Named[];
};

/** Each person once; who is named by address only is written in other letters. */
export function chooseRecipients({ cast }: Stage, to: readonly To[]): Chosen[] {
  const chosen = new Map<string, Chosen>();
  for (const { who, group, byAddress } of to) {
    const place = pickOf(GROUPS, group);
    const player = pick([...cast.players, ...cast.linkable, "customer", "group"] as const, who);
    const one = choose(cast, player, place, byAddress);
    chosen.set(`${one.named.userId} ${one.named.email}`, one);
  }
  return [...chosen.values()];
}

function choose(
  cast: Cast,
  player: Player | "customer" | "group" | undefined,
  place: string,
  byAddress: boolean,
): Chosen {
  if (player === "group") return aGroup(cast.signingGroup);
  return player === undefined || player === "customer" ? outsider(place) : insider(player, place, byAddress);
}

/** DocuSign names the group but no member, as long as nobody signs for it. */
function aGroup(signingGroup: SigningGroup): Chosen {
  return {
    wish: { signingGroup },
    named: { userId: null, email: "" },
    told: "the signing group",
    members: signingGroup.shown.map(({ userId, email }) => ({ userId, email })),
  };
}

function outsider(group: string): Chosen {
  const email = "kyaku@example.com";
  const wish = { name: "客", email, group };
  return { wish, named: { userId: null, email }, told: `a customer (${group})`, members: [] };
}

function insider({ name, user }: Player, group: string, byAddress: boolean): Chosen {
  if (!byAddress)
    return {
      wish: { user, group },
      named: { userId: user.userId, email: user.email },
      told: `${name} (${group})`,
      members: [],
    };
  const email = user.email.toUpperCase();
  return {
    wish: { name: "by address", email, group },
    named: { userId: null, email },
    told: `${name}'s address (${group})`,
    members: [],
  };
}
