import type { DocumentWish, RecipientWish } from "../docusign/envelopes.ts";
import type { Account, Envelope, User } from "../docusign/state.ts";
import type { World } from "../world.ts";
import type { Named, PlayedEnvelope } from "./model.ts";
import type { Random } from "./random.ts";

export type Company = { readonly account: Account; readonly admin: User; readonly senders: readonly User[] };

/** Four accounts: three are linked, by `admin`; the third was linked before by `predecessor`. */
export type Cast = {
  readonly companies: readonly [Company, Company, Company, Company];
  readonly predecessor: User;
};

/** Everybody, two of them with the same address. */
export function castPeople({ docusign }: World): Cast {
  const found = (name: string): Company => {
    const account = docusign.addAccount({ name });
    const admin = docusign.addUser(account, {
      name: `${name} admin`,
      role: "DS Admin",
      email: `${name}@Example.com`,
    });
    const senders = [
      docusign.addUser(account, { name: `${name} sender`, role: "DS Sender" }),
      docusign.addUser(account, { name: `${name} namesake`, role: "custom", email: admin.email }),
    ];
    return { account, admin, senders: [admin, ...senders] };
  };
  const companies = [found("kou"), found("otsu"), found("hei"), found("tei")] as const;
  const [, , hei] = companies;
  const predecessor = docusign.addUser(hei.account, { name: "hei predecessor", role: "DS Admin" });
  return { companies, predecessor };
}

export type Scene = {
  readonly cast: Cast;
  readonly random: Random;
  readonly number: number;
  readonly at: Date;
  /** Nobody writes to the predecessor any more. */
  readonly predecessorGone: boolean;
};

/** Somebody sends an envelope, and something becomes of it; gives what is to be remembered of it. */
export async function playEnvelope(world: World, scene: Scene): Promise<PlayedEnvelope> {
  const { random, number } = scene;
  const company = random.pick(scene.cast.companies);
  const documents = playDocuments(random);
  const to = playRecipients(scene);
  const subject = `#${String(number).padStart(3, "0")}`;
  const sender = random.pick(company.senders);
  const envelope = await world.docusign.sendEnvelope({
    from: sender,
    account: company.account,
    to,
    documents,
    subject,
    sentAt: scene.at,
  });
  const forwardedTo = await playForwarding(world, scene, envelope);
  const { completedAt, purged } = await playEnd(world, scene, envelope);
  return {
    subject,
    senderAccount: company.account.accountId,
    addressed: to.map(nameOf),
    forwardedTo: forwardedTo.map((user) => nameOf({ user })),
    completedAt,
    purged,
    documents: documents.map(({ name }) => name),
  };
}

function playDocuments(random: Random): DocumentWish[] {
  const count = random.chance(0.8) ? 1 : 2 + random.below(2);
  return Array.from({ length: count }, (_, index) => ({ name: `契約 ${index + 1}.pdf` }));
}

const GROUPS = [
  "signers",
  "signers",
  "carbonCopies",
  "certifiedDeliveries",
  "agents",
  "witnesses",
  "newcomers",
];

/** One to three different people; one of them may be named by address only, in other letters. */
function playRecipients({ cast, random, predecessorGone }: Scene): RecipientWish[] {
  const users = cast.companies.flatMap(({ senders }) => senders);
  const people: RecipientWish[] = [
    { name: "客", email: "kyaku@example.com" },
    ...users.map((user) => ({ user })),
  ];
  if (!predecessorGone) people.push({ user: cast.predecessor });
  const linked = cast.companies.slice(0, 3).map(({ admin }) => admin);
  const chosen = new Set(Array.from({ length: 1 + random.below(3) }, () => random.pick(people)));
  if (random.chance(0.04)) chosen.add({ name: "by address", email: random.pick(linked).email.toUpperCase() });
  return [...chosen].map((wish) => ({ ...wish, group: random.pick(GROUPS) }));
}

function nameOf({ user, email }: RecipientWish): Named {
  return { userId: user?.userId ?? null, email: user?.email ?? email ?? "" };
}

/**
 * Delegations are told by the listing, so that a linked user may be at either end. Of a reassignment only the event
 * tells who was first, and events get lost: there only the giver may be linked, who counts either way.
 */
async function playForwarding(world: World, { cast, random }: Scene, envelope: Envelope): Promise<User[]> {
  const users = envelope.recipients.map(({ userId }) => world.docusign.state.users.get(userId ?? ""));
  const from = users.find((user) => user !== undefined);
  if (from === undefined || !random.chance(0.15)) return [];
  const free = cast.companies.flatMap(({ senders }) => senders).filter((user) => !users.includes(user));
  const isLinked = (user: User): boolean => cast.companies.slice(0, 3).some(({ admin }) => admin === user);
  const to = random.pick(free);
  if (random.chance(0.5) || isLinked(to)) await world.docusign.delegate(envelope, from, to);
  else await world.docusign.reassign(envelope, from, to);
  return [to];
}

type End = Pick<PlayedEnvelope, "completedAt" | "purged">;

async function playEnd({ docusign }: World, { random, at }: Scene, envelope: Envelope): Promise<End> {
  const fate = random.next();
  if (fate < 0.04) await docusign.voidEnvelope(envelope);
  else if (fate < 0.08) await docusign.declineEnvelope(envelope);
  if (fate < 0.12) return { completedAt: null, purged: false };
  await docusign.completeEnvelope(envelope, { at });
  const purged = random.chance(0.03);
  if (purged) await docusign.purgeDocuments(envelope, "documents_purged");
  if (random.chance(0.05)) docusign.withoutRecipientsInListing(envelope);
  return { completedAt: at, purged };
}
