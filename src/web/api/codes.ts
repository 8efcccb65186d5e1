import { z } from "zod";
import type { ConnectMessage } from "../../docusign/connect/message-identity.ts";
import type { Outcome, Reasons } from "../../domain/finding.ts";
import type { ReconciliationKind, ReconciliationState } from "../../store/ledger/reconciliations.ts";
import type { AuditAction } from "../../store/links/audit.ts";
import type { ConnectSide, LinkCause, LinkState } from "../../store/links/links.ts";
import type { LinkingResult } from "../../usecases/linking/finish-linking.ts";
import { PROBLEM_URN, type ProblemCode } from "../problem.ts";

/** A sentence for each code. The keys are the codes of the code that uses them: one that is missing does not compile. */
type Meanings<Code extends string> = Readonly<Record<Code, string>>;

/**
 * A text that holds one of these codes, or one of a later version: clients of today are to take those of tomorrow. So
 * the description lists them without closing the list.
 */
function codes<Code extends string>(id: string, description: string, meanings: Meanings<Code>): z.ZodString {
  return z.string().meta({
    id,
    description: `${description} More values may be added.\n\n${listed(meanings)}`,
    "x-extensible-enum": Object.keys(meanings),
  });
}

function listed<Code extends string>(meanings: Meanings<Code>): string {
  return Object.entries<string>(meanings)
    .map(([code, meaning]) => `- \`${code}\`: ${meaning}`)
    .join("\n");
}

const PROBLEMS: Meanings<Exclude<ProblemCode, "not-admin">> = {
  malformed: "A parameter or the body is not as described; `detail` names it.",
  unauthorized: "The token is missing, invalid or not one of the cabinet's.",
  forbidden: "The token is valid but lacks a scope or a claim.",
  "not-found": "Nothing is there for this tenant, or it was deleted.",
  "link-not-found": "The tenant has no link.",
  "group-not-found": "The contract group does not exist. Choose another one.",
  "link-active": "The tenant has a link already. End it before linking another account.",
  "not-awaiting-approval": "The link does not await approval.",
  "deletion-failed":
    "DocuSign could not be reached or did not remove our configurations. The link is unchanged.",
  gone: "The link of this Connect address does not exist or has ended.",
  "method-not-allowed": "The address has no such method; `Allow` lists those it has.",
  "too-large": "The body is too large.",
  "unsupported-media-type": "The body is compressed or not in UTF-8.",
  "range-not-satisfiable": "The document ends before the range.",
  "too-many-requests": "The token has used up its requests. Wait for `Retry-After`.",
  unavailable: "The service cannot answer now. Try again after `Retry-After`.",
  internal: "The request failed here. Support can find it by `instance`.",
};

export const problemType = codes(
  "ProblemType",
  "Stable name of the kind of problem.",
  Object.fromEntries(Object.entries(PROBLEMS).map(([code, meaning]) => [`${PROBLEM_URN}${code}`, meaning])),
);

const LINK_STATES: Meanings<LinkState> = {
  active: "Imports run.",
  "awaiting-approval": "A large first import waits until an owner approves it.",
  error: "Imports have stopped; `cause` says why.",
  ended: "The link was ended. Its contracts and history remain.",
};
export const linkState = codes("LinkState", "State of a link.", LINK_STATES);

const LINK_CAUSES: Meanings<LinkCause> = {
  "authorization-revoked":
    "DocuSign no longer accepts the authorisation. The same DocuSign user must link again.",
  "not-admin": "The linked user is no longer a DS Admin. The link recovers when the role is back.",
  "group-missing": "The contract group was deleted. Choose another one.",
};
export const linkCause = codes("LinkCause", "Why a link is in state `error`.", LINK_CAUSES);

const CONNECT_SIDES: Meanings<ConnectSide> = {
  active: "DocuSign sends events.",
  pending: "The configuration could not be made or checked yet. The next reconciliation tries again.",
  "switched-off": "Somebody switched the configuration off at DocuSign. It stays off.",
  "not-available": "The account has no Connect of this kind, or DocuSign refused the configuration.",
};
export const connectSide = codes(
  "ConnectState",
  "Whether DocuSign sends events. Without events imports run once an hour.",
  CONNECT_SIDES,
);

const EXCLUSIONS: Meanings<Reasons["excluded"]> = {
  "not-completed": "The envelope is not completed.",
  "not-ours": "It was neither sent from the linked account nor received by the linked user.",
  "forwarded-to-user": "It reached the linked user only by forwarding.",
  "before-window": "It was completed before the link's imports begin.",
  "documents-purged": "Its documents were purged at DocuSign.",
  "no-documents": "It has no document besides the certificate of completion.",
};
export const exclusionRule = codes("ExclusionRule", "The rule that excludes an envelope.", EXCLUSIONS);

const WAITS: Meanings<Reasons["waiting"]> = {
  queued: "It waits for its turn.",
  "hourly-timing": "It waits for the next import on the hour (`IMPORT_TIMING=hourly`).",
  "awaiting-approval": "The large first import awaits approval.",
  "link-error": "The link is in state `error`.",
  "link-ended": "The link ended before the import.",
  "group-missing": "The contract group of the link was deleted.",
  "account-throttled": "The DocuSign account has used up its API calls.",
  "budget-reserve": "The remaining API calls are left to the account's other integrations.",
  "docusign-unavailable": "DocuSign could not be reached or did not return the envelope.",
  "not-found-yet": "DocuSign does not find the envelope or one of its documents yet.",
  "document-not-pdf": "DocuSign delivered a document that is not a PDF.",
  "document-empty": "DocuSign delivered an empty document.",
  "import-failed": "The import failed. It is retried.",
  "completion-unknown": "DocuSign has not said when the envelope was completed.",
  "sender-unknown": "DocuSign has not said which account sent the envelope.",
  "recipients-unknown": "DocuSign has not said who received the envelope.",
  "documents-unknown": "DocuSign has not listed the documents.",
};
export const waitingReason = codes("WaitingReason", "What an envelope waits for.", WAITS);

const IMPORTS: Meanings<Reasons["imported"]> = {
  sent: "The linked account sent it.",
  received: "The linked user received it.",
  "sent-and-received": "The linked account sent it and the linked user received it.",
  already: "An earlier link imported it.",
};
const DELETIONS: Meanings<Reasons["deleted"]> = {
  "deleted-in-cabinet": "Its contracts were deleted in the cabinet.",
};
const UNKNOWNS: Meanings<Reasons["unknown"]> = {
  "never-seen": "No event and no listing has shown it yet.",
  "not-found": "DocuSign does not show such an envelope to the linked user.",
};
export const reason = codes("Reason", "Why an envelope has its outcome.", {
  ...IMPORTS,
  ...EXCLUSIONS,
  ...DELETIONS,
  ...WAITS,
  ...UNKNOWNS,
});

const OUTCOMES: Meanings<Outcome> = {
  imported: "Its documents are contracts of the cabinet.",
  excluded: "A rule excludes it; `reason` names the rule.",
  deleted: "All of its contracts were deleted in the cabinet. It is never imported again.",
  waiting: "It waits to be imported or judged; `waitingFor` says for what.",
  unknown: "Nothing is recorded of it here, and DocuSign cannot be asked or does not know it.",
};
export const outcome = codes("Outcome", "What became of an envelope.", OUTCOMES);

const FORMATS: Meanings<ConnectMessage["format"]> = {
  "json-sim": "JSON, the format that our own configurations ask for.",
  "json-aggregate": "JSON in the older aggregate form.",
  xml: "Legacy XML.",
};
export const eventFormat = codes("EventFormat", "Format of a Connect message.", FORMATS);

const KINDS: Meanings<ReconciliationKind> = {
  first: "The first listing after linking.",
  hourly: "The hourly listing of what completed.",
  full: "The daily comparison with all that DocuSign lists.",
  manual: "A listing that an operator asked for.",
  closing: "The last look before a link ends.",
};
export const reconciliationKind = codes("ReconciliationKind", "Why a reconciliation ran.", KINDS);

const RUN_STATES: Meanings<ReconciliationState> = {
  running: "It is not finished.",
  done: "It accounted for its whole window.",
  failed: "It stopped before its end. The next one covers its window.",
};
export const reconciliationState = codes(
  "ReconciliationState",
  "How far a reconciliation has come.",
  RUN_STATES,
);

const ACTIONS: Meanings<AuditAction> = {
  linked: "An owner linked the account.",
  repaired: "An owner repaired the link by linking the same DocuSign user again.",
  edited: "An owner changed the link.",
  approved: "An owner approved the first import.",
  ended: "An owner ended the link.",
};
export const auditAction = codes("AuditAction", "What somebody did to a link.", ACTIONS);

const RESULTS: Meanings<LinkingResult> = {
  linked: "The account is linked.",
  "awaiting-approval": "The account is linked; its large first import awaits approval.",
  "not-admin": "The DocuSign user is not a DS Admin of their default account.",
  "group-not-found": "The contract group was deleted meanwhile.",
  "link-not-found": "The link to repair has ended meanwhile.",
  "already-linked": "The tenant has a link already, or its link in error belongs to another DocuSign user.",
  cancelled: "The user cancelled at DocuSign.",
  expired: "The linking took longer than 15 minutes, was finished already or was begun by somebody else.",
  failed: "DocuSign could not be reached or refused.",
};
/** The values of `result`, with which the browser comes back from DocuSign; for the text of a description. */
export const LINKING_RESULTS: string = listed(RESULTS);
