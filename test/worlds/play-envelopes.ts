import type { Envelope } from "../support/docusign/state.ts";
import type { PlayedEnvelope } from "./model.ts";
import type { Forwarding, MoveOf } from "./moves.ts";
import { chooseRecipients } from "./recipients.ts";
import { pick, pickOf, type Stage, tell } from "./stage.ts";

const LATE_MS = 95 * 60_000;
const NAMES = ["契約.pdf", "別紙.docx", "覚書 (写し).PDF"];

/** Somebody sends an envelope, and something becomes of it. */
export async function playSend(stage: Stage, move: MoveOf<"send">): Promise<void> {
  const { world, cast, envelopes } = stage;
  const senders = cast.players.filter(({ name }) => !name.endsWith("viewer"));
  const linked = new Set(stage.tenants.map(({ current }) => current?.link.account));
  const colleagues = senders.filter(({ accounts }) =>
    accounts.some(({ accountId }) => linked.has(accountId)),
  );
  const sender = pickOf([...colleagues, ...senders], move.from);
  const account = pickOf(sender.accounts, move.account);
  const wishes = chooseRecipients(stage, move.to);
  const documents = NAMES.slice(0, move.documents).map((name) => ({ name }));
  const number = envelopes.length + 1;
  const subject = `#${number}`;
  tell(
    stage,
    `${sender.name} sends ${subject} (${documents.length} documents) for ${account.name} to ${wishes.map(({ told }) => told).join(", ")}${move.listing === "plain" ? "" : `; in listings: ${move.listing}`}`,
  );
  const envelope = await world.docusign.sendEnvelope({
    from: sender.user,
    account,
    to: wishes.map(({ wish }) => wish),
    documents,
    subject,
  });
  const played: PlayedEnvelope = {
    number,
    envelopeId: envelope.envelopeId,
    subject,
    account: account.accountId,
    addressed: wishes.map(({ named }) => named),
    members: wishes.flatMap(({ members }) => members),
    documents: documents.map(({ name }, index) => ({ documentId: String(index + 1), name })),
    forwarding: null,
    toldBefore: new Set(),
    toldAfter: new Set(),
    completedAt: null,
    isOver: false,
    purged: false,
    isForged: false,
    listedBare: move.listing === "without-recipients",
    listedFrom: new Date(0),
  };
  envelopes.push(played);
  arrangeListing(stage, move, envelope, played);
  if (move.forwarding !== null) await forward(stage, played, move.forwarding);
  await playFate(stage, move, played);
}

/** One of those that are under way is completed. */
export async function playComplete(stage: Stage, { which }: MoveOf<"complete">): Promise<void> {
  const played = pick(underWay(stage), which);
  if (played !== undefined) await complete(stage, played, false);
}

/** One of those that are under way, and went to nobody else yet, is forwarded. */
export async function playForward(stage: Stage, { which, forwarding }: MoveOf<"forward">): Promise<void> {
  const played = pick(
    underWay(stage).filter((one) => one.forwarding === null),
    which,
  );
  if (played !== undefined) await forward(stage, played, forwarding);
}

/** The envelope as DocuSign has it. */
function envelopeOf({ world }: Stage, { envelopeId }: { envelopeId: string }): Envelope {
  const envelope = world.docusign.state.envelopes.get(envelopeId);
  if (envelope === undefined) throw new Error("there is no such envelope");
  return envelope;
}

function underWay({ envelopes }: Stage): PlayedEnvelope[] {
  return envelopes.filter(({ isOver }) => !isOver);
}

function arrangeListing(
  { world }: Stage,
  { listing }: MoveOf<"send">,
  envelope: Envelope,
  played: PlayedEnvelope,
): void {
  const { docusign, clock } = world;
  switch (listing) {
    case "late":
      played.listedFrom = new Date(clock.now.getTime() + LATE_MS);
      return docusign.lateInListing(envelope, played.listedFrom);
    case "extraneous":
      return docusign.extraneousInListing(envelope);
    case "at-page-ends":
      return docusign.extraneousAtPageEnds(envelope);
    case "without-recipients":
      return docusign.withoutRecipientsInListing(envelope);
    case "plain":
  }
}

/** From the first recipient who is a user, to a user who is not named yet, neither by id nor by address. */
async function forward(stage: Stage, played: PlayedEnvelope, { kind, to }: Forwarding): Promise<void> {
  const { world, cast } = stage;
  const envelope = envelopeOf(stage, played);
  const from = world.docusign.state.users.get(
    played.addressed.find(({ userId }) => userId !== null)?.userId ?? "",
  );
  const free = [...cast.linkable, ...cast.linkable, ...cast.players].filter(
    ({ user }) =>
      !played.addressed.some(
        ({ userId, email }) =>
          userId === user.userId || (userId === null && email.toLowerCase() === user.email.toLowerCase()),
      ),
  );
  const taker = pick(free, to);
  if (from === undefined || taker === undefined) return;
  tell(stage, `${played.subject} goes from ${from.name} to ${taker.name} by ${kind}`);
  played.forwarding = { kind, to: { userId: taker.user.userId, email: taker.user.email } };
  if (kind === "delegation")
    await world.docusign.delegate(envelope, from, taker.user, to % 2 === 0 ? "lower" : "capitalised");
  else await world.docusign.reassign(envelope, from, taker.user);
}

async function playFate(
  stage: Stage,
  { fate, purged }: MoveOf<"send">,
  played: PlayedEnvelope,
): Promise<void> {
  const { docusign } = stage.world;
  if (fate === "under-way") return;
  if (fate === "completed") return await complete(stage, played, purged);
  tell(stage, `${played.subject} is ${fate}`);
  played.isOver = true;
  const envelope = envelopeOf(stage, played);
  await (fate === "voided" ? docusign.voidEnvelope(envelope) : docusign.declineEnvelope(envelope));
}

async function complete(stage: Stage, played: PlayedEnvelope, purged: boolean): Promise<void> {
  const { docusign, clock } = stage.world;
  tell(stage, `${played.subject} is completed${purged ? ", and its documents are purged" : ""}`);
  played.completedAt = new Date(clock.now);
  played.isOver = true;
  const envelope = envelopeOf(stage, played);
  await docusign.completeEnvelope(envelope);
  if (!purged) return;
  played.purged = true;
  await docusign.purgeDocuments(envelope, "documents_purged");
}
