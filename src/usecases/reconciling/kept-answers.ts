import type { DocuSignAccount } from "../../docusign/api/account.ts";
import type { OpenAccount } from "../capabilities.ts";

/** Answers of one link's account that serve a first look, and then the reconciliation that the look finds necessary. */
export type KeptAnswers = {
  /** Opens the account for the look. */
  readonly keeping: OpenAccount;
  /** Opens it for the reconciliation. A kept answer is given once, faults included, and counts as a call. */
  readonly giving: OpenAccount;
  /** True if a kept listing has not been given yet. */
  hasListing(): boolean;
};

export function keepAnswers(openAccount: OpenAccount): KeptAnswers {
  const listings: Kept<"listCompleted"> = new Map();
  const users: Kept<"getUser"> = new Map();
  return {
    keeping: (...wish) => {
      const account = openAccount(...wish);
      return {
        ...account,
        listCompleted: keep(listings, account.listCompleted),
        getUser: keep(users, account.getUser),
      };
    },
    giving: (link, onCall, kind) => {
      const account = openAccount(link, onCall, kind);
      return {
        ...account,
        listCompleted: give(listings, account.listCompleted, onCall),
        getUser: give(users, account.getUser, onCall),
      };
    },
    hasListing: () => listings.size > 0,
  };
}

/** Answers by what was asked. */
type Kept<Verb extends "listCompleted" | "getUser"> = Map<string, ReturnType<DocuSignAccount[Verb]>>;

function keep<Question, Answer>(
  kept: Map<string, Answer>,
  ask: (question: Question) => Answer,
): (question: Question) => Answer {
  return (question) => {
    const answer = ask(question);
    kept.set(JSON.stringify(question), answer);
    return answer;
  };
}

function give<Question, Answer>(
  kept: Map<string, Answer>,
  ask: (question: Question) => Answer,
  onCall?: () => void,
): (question: Question) => Answer {
  return (question) => {
    const key = JSON.stringify(question);
    const answer = kept.get(key);
    if (answer === undefined) return ask(question);
    kept.delete(key);
    onCall?.();
    return answer;
  };
}
