/** Growing waits: 5 s, 10 s, 20 s … up to an hour, for about four days in all. */
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60 * 60 * 1000;

/** After so many an import is parked: from then on each reconciliation tries it once. */
export const MOST_ATTEMPTS = 100;

/** When the next attempt is due after so many have failed; null once it has been tried for days. */
export function nextAttempt(attempts: number, now: Date, shortestMs = FIRST_WAIT_MS): Date | null {
  if (attempts >= MOST_ATTEMPTS) return null;
  const wait = FIRST_WAIT_MS * 2 ** (attempts - 1);
  return new Date(now.getTime() + Math.min(Math.max(wait, shortestMs), LONGEST_WAIT_MS));
}

/** What an envelope waits for that was tried in vain; other causes end by themselves, or with their link's. */
export const TRIED_IN_VAIN = [
  "docusign-unavailable",
  "not-found-yet",
  "import-failed",
  "document-not-pdf",
  "document-empty",
  "completion-unknown",
  "sender-unknown",
  "recipients-unknown",
  "documents-unknown",
] as const;

/** DocuSign flags a document that is asked for again within 15 minutes (facts 5). */
export const DOWNLOAD_AGAIN_MS = 20 * 60 * 1000;
