/** DocuSign has several kinds of purge. Documents that are only queued for it are still there. */
export function isPurged(purgeState: string | null): boolean {
  return purgeState?.toLowerCase().endsWith("_purged") ?? false;
}

/** True if DocuSign may purge the documents at any moment. Queued documents stay for some days, others longer. */
export function isPurgeQueued(purgeState: string | null): boolean {
  return purgeState?.toLowerCase().endsWith("_queued") ?? false;
}
