import type { FindingFacts, Texts } from "./finding.ts";

const SUPPORT = "If it stays like this, please contact our support.";

/** The explanations in English, with moments in UTC. */
export const ENGLISH: Texts = {
  imported: {
    sent: (facts) => `Imported: a user of the linked account sent it${completed(facts)}.`,
    received: (facts) => `Imported: the linked user received it${completed(facts)}.`,
    "sent-and-received": (facts) =>
      `Imported: a user of the linked account sent it and the linked user received it${completed(facts)}.`,
    already: () =>
      "Imported already by an earlier link. Nothing is imported twice; please use the contracts that are there.",
  },
  excluded: {
    "not-completed": (facts) =>
      `Not imported: it is not completed${inBrackets("status at DocuSign: ", facts.status)}. Only completed envelopes are imported.`,
    "not-ours": () =>
      "Not imported: it was neither sent from the linked account nor received by the linked user. What other users of the account receive is not imported.",
    "forwarded-to-user": () =>
      "Not imported: it only reached the linked user by forwarding. A forwarded envelope is treated by the recipient before the forwarding.",
    "before-window": (facts) =>
      `Not imported: it was completed${inBrackets("", moment(facts.completedAt))} before this link's imports begin${starts(facts)}.`,
    "documents-purged": () =>
      "Not imported: its documents were purged at DocuSign and can no longer be had from there.",
    "no-documents": () => "Not imported: it holds no document besides the certificate of completion.",
  },
  deleted: {
    "deleted-in-cabinet": () => "Deleted in the cabinet. It will never be imported again.",
  },
  waiting: {
    queued: (facts) => `Waiting for its turn to be imported${until(facts)}.`,
    "hourly-timing": (facts) => `Waiting for the next import on the hour${until(facts)}.`,
    "awaiting-approval": () =>
      "Waiting for approval: there are many envelopes, and an owner has to let the first import begin on the link page.",
    paused: () =>
      "Waiting: the link is paused. The import continues when an owner resumes it on the link page.",
    "link-error": () =>
      "Waiting: the link to DocuSign has an error. Please look up its cause on the link page and link again; the import then goes on.",
    "link-ended": () =>
      "The link was deleted before the import. If it is to be imported, it will be when the same account is linked again.",
    "group-missing": () =>
      "Waiting: the contract group to import into was not found. Please choose another group on the link page.",
    "account-throttled": (facts) =>
      `Waiting: the DocuSign account has used up its API calls${until(facts)}. The import goes on by itself.`,
    "budget-reserve": (facts) =>
      `Waiting: the remaining API calls are left to the other systems that use the DocuSign account${until(facts)}. The import goes on by itself.`,
    "lookup-budget": (facts) =>
      `DocuSign is not asked now: the look-ups of this hour are used up${until(facts)}. Imports are not affected.`,
    "docusign-unavailable": (facts) =>
      `Waiting: DocuSign could not be reached, or did not give it${until(facts)}. The import is tried again by itself.`,
    "document-store-unavailable": () =>
      "Waiting: our service cannot store documents at the moment. The import continues automatically when it can.",
    "not-found-yet": (facts) =>
      `Waiting: DocuSign does not find it or one of its documents yet${until(facts)}. The import is tried again by itself.`,
    "on-another-site": (facts) =>
      `Waiting: another site of DocuSign holds the documents and they cannot be downloaded from here${until(facts)}. The import is tried again once a day.`,
    "document-not-pdf": () =>
      `Not imported yet: DocuSign delivered a document that is not a PDF. The import is tried again by itself. ${SUPPORT}`,
    "document-empty": () =>
      `Not imported yet: DocuSign delivered an empty document. The import is tried again by itself. ${SUPPORT}`,
    "import-failed": () =>
      `Not imported yet: the import failed. The import is tried again by itself. ${SUPPORT}`,
    "completion-unknown": () =>
      "Waiting: DocuSign has not told yet when it was completed, which decides whether it is imported.",
    "sender-unknown": () =>
      "Waiting: DocuSign has not told yet which account sent it, which decides whether it is imported.",
    "recipients-unknown": () =>
      "Waiting: DocuSign has not told yet who received it, which decides whether it is imported.",
    "documents-unknown": () =>
      "Waiting: it is to be imported, but DocuSign has not listed its documents yet.",
  },
  unknown: {
    "never-seen": () =>
      "Not seen yet. If it is to be imported, the next reconciliation on the hour will find it.",
    "not-found": () => "The linked DocuSign user cannot find such an envelope at DocuSign.",
  },
};

function completed({ completedAt }: FindingFacts): string {
  return completedAt ? `, and it was completed at ${moment(completedAt)}` : ", and it was completed";
}

function starts({ sentByAccount, receivedByUser, sentFrom, receivedFrom }: FindingFacts): string {
  const sent = sentByAccount !== false && sentFrom ? [`sent: from ${moment(sentFrom)}`] : [];
  const received = receivedByUser !== false && receivedFrom ? [`received: from ${moment(receivedFrom)}`] : [];
  return inBrackets("", [...sent, ...received].join(", "));
}

function until({ waitingUntil }: FindingFacts): string {
  return inBrackets("expected at ", moment(waitingUntil));
}

function inBrackets(label: string, words: string | null | undefined): string {
  return words ? ` (${label}${words})` : "";
}

/** To the second; milliseconds would only distract. */
function moment(iso: string | null | undefined): string {
  if (!iso) return "";
  return `${new Date(iso).toISOString().slice(0, "YYYY-MM-DDThh:mm:ss".length).replace("T", " ")} UTC`;
}
