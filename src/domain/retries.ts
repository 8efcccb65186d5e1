/** Exponential backoff: 5 s, 10 s, 20 s … up to an hour, about four days in total. */
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60 * 60 * 1000;

/** After this many attempts an import is parked: each reconciliation then tries it once. */
export const MOST_ATTEMPTS = 100;

/** Returns when the next attempt is due after `attempts` failures; null after the last one. */
export function nextAttempt(attempts: number, now: Date, shortestMs = FIRST_WAIT_MS): Date | null {
  if (attempts >= MOST_ATTEMPTS) return null;
  const wait = FIRST_WAIT_MS * 2 ** (attempts - 1);
  return new Date(now.getTime() + Math.min(Math.max(wait, shortestMs), LONGEST_WAIT_MS));
}

/** The reasons of failed attempts. Other reasons end by themselves or with the cause of the link. */
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

/** DocuSign flags a document that is requested again within 15 minutes (facts 5). */
export const DOWNLOAD_AGAIN_MS = 20 * 60 * 1000;
