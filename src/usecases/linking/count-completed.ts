import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { ALL_HISTORY } from "../../domain/window.ts";

/** The owner waits in front of the browser meanwhile: twenty pages of a listing. */
const MOST_COUNTED = 20_000;
const SMALL = 1_000;

/**
 * How many completed envelopes a first import will list: what the account sent and what the user received, each
 * once (service.md: counted as DocuSign lists them). Two calls; where the overlap of the two decides whether there are
 * `enough`, or how many an owner is shown, or where DocuSign gives no totals, the envelopes are counted one by one. Only
 * of more than `MOST_COUNTED` an owner is shown the sum of the two, which is what there are at most.
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

/** Null where DocuSign does not say how many there are beyond the first. */
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
