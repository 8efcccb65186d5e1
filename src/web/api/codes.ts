import { z } from "zod";
import type { ConnectMessage } from "../../docusign/connect/message-identity.ts";
import type { Outcome, Reasons } from "../../domain/finding.ts";
import type { NoticeCode } from "../../domain/link-notice.ts";
import type { ReconciliationKind, ReconciliationState } from "../../store/ledger/reconciliations.ts";
import type { AuditAction } from "../../store/links/audit.ts";
import type { ConnectSide, LinkCause, LinkState } from "../../store/links/links.ts";
import type { LinkingResult } from "../../usecases/linking/finish-linking.ts";
import { PROBLEM_URN, type ProblemCode } from "../problem-details.ts";

/** A sentence for each code. A missing code does not compile. */
type Meanings<Code extends string> = Readonly<Record<Code, string>>;

/**
 * A string with one of these codes, or one of a later version. The description lists the codes without closing the
 * list, so that today's clients accept tomorrow's codes.
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
  malformed: "A parameter or the body is invalid. `detail` names it.",
  unauthorized: "The token is missing, invalid or not issued by the cabinet.",
  forbidden: "The token is valid but lacks a scope or a claim.",
  "not-found": "The resource does not exist for this tenant or was deleted.",
  "link-not-found": "The tenant has no link.",
  "group-not-found": "The contract group does not exist. Choose another one.",
  "link-active": "The tenant already has a link. End it before you link another account.",
  "not-awaiting-approval": "The link is not in state `awaiting-approval`.",
  "not-active": "The link is not in state `active`.",
  "not-paused": "The link is not in state `paused`.",
  "deletion-failed":
    "DocuSign could not be reached or did not remove the Connect configurations. The link is unchanged.",
  gone: "The link of this Connect address does not exist or has ended.",
  "method-not-allowed": "The address does not support the method. `Allow` lists the supported methods.",
  "request-timeout": "The body arrived too slowly.",
  "too-large": "The body is too large.",
  "unsupported-media-type": "The body is compressed or not in UTF-8.",
  "range-not-satisfiable": "The range starts after the end of the document.",
  "too-many-requests": "The token has used up its requests. Try again after `Retry-After`.",
  unavailable: "The service is temporarily unavailable. Try again after `Retry-After`.",
  internal: "An unexpected error. Support can find it by `instance`.",
};

export const problemType = codes(
  "ProblemType",
  "Stable name of the kind of problem.",
  Object.fromEntries(Object.entries(PROBLEMS).map(([code, meaning]) => [`${PROBLEM_URN}${code}`, meaning])),
);

const LINK_STATES: Meanings<LinkState> = {
  active: "Imports run.",
  paused: "An owner paused the link. Nothing is listed or imported until it is resumed.",
  "awaiting-approval": "A large first import waits until an owner approves it.",
  error: "Imports have stopped. `cause` gives the reason.",
  ended: "The link was ended. Its contracts and history remain.",
};
export const linkState = codes("LinkState", "State of a link.", LINK_STATES);

const LINK_CAUSES: Meanings<LinkCause> = {
  "authorization-revoked":
    "DocuSign no longer accepts the authorization. The same DocuSign user must link again.",
  "not-admin": "The linked user is no longer a DS Admin. The link recovers when the role is back.",
  "group-missing": "The contract group was deleted. Choose another one.",
};
export const linkCause = codes("LinkCause", "Why a link is in state `error`.", LINK_CAUSES);

const NOTICES: Meanings<NoticeCode> = {
  "document-store-unavailable":
    "The service cannot store documents. Imports wait and continue automatically.",
  "docusign-unavailable":
    "DocuSign does not respond or returns errors. Imports wait and continue automatically.",
  "account-throttled":
    "The DocuSign account has used up its API calls. Imports continue when DocuSign accepts calls.",
  "docusign-slow": "DocuSign responds slowly. Imports continue, but take longer.",
  "connect-switched-off": "A Connect configuration is disabled in DocuSign. Imports run once an hour.",
};
export const noticeCode = codes("NoticeCode", "Cause that slows an active link.", NOTICES);

const CONNECT_SIDES: Meanings<ConnectSide> = {
  active: "DocuSign sends events.",
  pending: "The configuration could not be created or checked yet. The next reconciliation tries again.",
  "switched-off":
    "The configuration is off. It stays off if a person disabled it, and is switched on again if DocuSign did.",
  "not-available": "The account does not support this Connect configuration, or DocuSign rejected it.",
};
export const connectSide = codes(
  "ConnectState",
  "State of a Connect configuration. Without events, imports run once an hour.",
  CONNECT_SIDES,
);

const EXCLUSIONS: Meanings<Reasons["excluded"]> = {
  "not-completed": "The envelope is not completed.",
  "not-ours": "It was neither sent from the linked account nor received by the linked user.",
  "forwarded-to-user": "The linked user received it only because another recipient forwarded it.",
  "before-window": "It was completed before the period that the link imports.",
  "documents-purged": "Its documents were purged at DocuSign.",
  "no-documents": "It contains no document except the certificate of completion.",
};
export const exclusionRule = codes("ExclusionRule", "The rule that excludes an envelope.", EXCLUSIONS);

const WAITS: Meanings<Reasons["waiting"]> = {
  queued: "It waits for its turn.",
  "hourly-timing": "It waits for the next import on the hour (`IMPORT_TIMING=hourly`).",
  "awaiting-approval": "The large first import awaits approval.",
  paused: "An owner paused the link.",
  "link-error": "The link is in state `error`.",
  "link-ended": "The link ended before the import.",
  "group-missing": "The contract group of the link was deleted.",
  "account-throttled": "The DocuSign account has used up its API calls.",
  "budget-reserve": "The remaining API calls are reserved for the account's other integrations.",
  "lookup-budget": "The tenant has used up its look-ups in DocuSign for this hour. Imports are not affected.",
  "docusign-unavailable": "DocuSign could not be reached or did not return the envelope.",
  "document-store-unavailable": "The service cannot store documents at the moment.",
  "not-found-yet": "DocuSign does not return the envelope or one of its documents yet.",
  "on-another-site":
    "Another site of DocuSign holds the documents, and they cannot be downloaded. The import is tried again each day.",
  "document-not-pdf": "DocuSign returned a document that is not a PDF.",
  "document-empty": "DocuSign returned an empty document.",
  "import-failed": "The import failed and will be retried.",
  "completion-unknown": "DocuSign has not reported when the envelope was completed.",
  "sender-unknown": "DocuSign has not reported which account sent the envelope.",
  "recipients-unknown": "DocuSign has not reported who received the envelope.",
  "documents-unknown": "DocuSign has not reported the envelope's documents.",
};
export const waitingReason = codes("WaitingReason", "The reason why an envelope waits.", WAITS);

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
  "never-seen": "No event or listing has contained it yet.",
  "not-found": "The linked user cannot see such an envelope in DocuSign.",
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
  waiting: "It waits to be imported or judged. `waitingFor` gives the reason.",
  unknown: "The service has no record of it, and DocuSign is unavailable or does not return it.",
};
export const outcome = codes("Outcome", "Outcome of an envelope.", OUTCOMES);

const FORMATS: Meanings<ConnectMessage["format"]> = {
  "json-sim": "JSON SIM, the format of the configurations that the service creates.",
  "json-aggregate": "JSON in the older aggregate format.",
  xml: "Legacy XML.",
};
export const eventFormat = codes("EventFormat", "Format of a Connect message.", FORMATS);

const KINDS: Meanings<ReconciliationKind> = {
  first: "The first listing after linking.",
  hourly: "The hourly listing of completed envelopes.",
  full: "The daily comparison with all envelopes that DocuSign lists.",
  manual: "A listing that an operator started.",
  closing: "The last listing before a link ends.",
};
export const reconciliationKind = codes("ReconciliationKind", "Why a reconciliation ran.", KINDS);

const RUN_STATES: Meanings<ReconciliationState> = {
  running: "It is in progress.",
  done: "It accounted for its whole period.",
  failed: "It stopped early. The next one covers its period.",
};
export const reconciliationState = codes("ReconciliationState", "State of a reconciliation.", RUN_STATES);

const ACTIONS: Meanings<AuditAction> = {
  linked: "An owner linked the account.",
  repaired: "An owner repaired the link by linking the same DocuSign user again.",
  edited: "An owner changed the link.",
  approved: "An owner approved the first import.",
  paused: "An owner paused the link.",
  resumed: "An owner resumed the link.",
  ended: "An owner ended the link.",
};
export const auditAction = codes("AuditAction", "An owner's action on a link.", ACTIONS);

const RESULTS: Meanings<LinkingResult> = {
  linked: "The account is linked.",
  "awaiting-approval": "The account is linked. Its large first import awaits approval.",
  "not-admin": "The DocuSign user is not a DS Admin of their default account.",
  "group-not-found": "The contract group was deleted in the meantime.",
  "link-not-found": "The link to repair has ended in the meantime.",
  "already-linked": "The tenant already has a link, or its link in error belongs to another DocuSign user.",
  cancelled: "The user cancelled at DocuSign.",
  expired: "The linking took longer than 15 minutes, is already finished, or was started by another person.",
  failed: "DocuSign could not be reached or refused the request.",
};
/** The values of `result` in the address to which the browser returns, as text for a description. */
export const LINKING_RESULTS: string = listed(RESULTS);
