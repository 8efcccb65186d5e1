import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { ALL_HISTORY } from "../../domain/window.ts";

/** Twenty pages of a listing: the owner is waiting in the browser. */
const MOST_COUNTED = 20_000;
const SMALL = 1_000;

/**
 * Returns how many completed envelopes a first import will list (service.md: counted as DocuSign lists them). Counts
 * what the account sent and what the user received, each envelope once.
 * Two calls return the totals of the two sides. If DocuSign returns no totals, counts the envelopes one by one. Does
 * the same if the overlap of the sides decides whether there are `enough`, or changes the number that the owner sees.
 * Above `MOST_COUNTED`, returns the sum of the two sides, which is an upper bound.
 */
export async function countCompleted(
  account: DocuSignAccount,
  { to, enough }: { to: Date; enough: number },
): Promise<number> {
  const sent = await countSide(account, to, false);
  const received = await countSide(account, to, true);
  if (sent === null || received === null) return await countOneByOne(account, to);
  const most = sent + received;
  if (sent === 0 || received === 0) return most;
  const isLarge = Math.max(sent, received) >= enough;
  const isUnsure = !isLarge && most >= enough;
  const isShown = most <= SMALL || (isLarge && most <= MOST_COUNTED);
  return isUnsure || isShown ? await countOneByOne(account, to) : most;
}

/** Null if DocuSign returns no total and there are more pages. */
async function countSide(account: DocuSignAccount, to: Date, receivedOnly: boolean): Promise<number | null> {
  const page = await account.listCompleted({
    from: ALL_HISTORY,
    to,
    startPosition: 0,
    count: 1,
    receivedOnly,
    include: false,
  });
  return page.totalSetSize ?? (page.next === null ? page.envelopes.length : null);
}

async function countOneByOne(account: DocuSignAccount, to: Date): Promise<number> {
  const ids = new Set<string>();
  for (const receivedOnly of [false, true]) {
    for (let next: number | null = 0; next !== null; ) {
      const page = await account.listCompleted({
        from: ALL_HISTORY,
        to,
        startPosition: next,
        count: 1_000,
        receivedOnly,
        include: false,
      });
      for (const { id, status } of page.envelopes) if (status === "completed") ids.add(id);
      next = page.next;
    }
  }
  return ids.size;
}
