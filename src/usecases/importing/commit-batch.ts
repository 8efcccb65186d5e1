import type { LinkId } from "../../domain/identifiers.ts";
import {
  commitImports,
  type ImportedEnvelope,
  type ImportVerdict,
} from "../../store/contracts/commit-import.ts";
import type { Uses } from "../capabilities.ts";

/** The import of one envelope, up to its commit. */
export type ToCommit = {
  readonly tenant: string;
  readonly linkId: LinkId;
  /** The group of the contracts. */
  readonly groupId: string;
  /** The contracts are imported at the given time. */
  readonly importedAt: (now: Date) => ImportedEnvelope;
};

/** `stored` holds the ids of new contracts, perhaps those of other envelopes too. */
export type Committed = { readonly verdict: ImportVerdict; readonly stored: ReadonlySet<string> };
export type Commit = (one: ToCommit) => Promise<Committed>;

/** Commits each import by itself, at once. */
export function commitSingly({ db, now }: Uses<"db" | "now">): Commit {
  return async ({ importedAt, ...one }) => {
    const at = now();
    return await commitImports(db, { ...one, now: at, envelopes: [importedAt(at)] });
  };
}

/** Commits imports of a link in one statement. */
export type Batch = {
  readonly commit: Commit;
  /** Commits what has been added. Later imports are committed at once. */
  readonly close: () => void;
};

type Waiting = PromiseWithResolvers<Committed> & { readonly one: ToCommit };

/** An import waits this long for others. If they cannot be committed together, each is committed by itself. */
export function openBatch(deps: Uses<"db" | "now">, waitMs: number): Batch {
  const commitOne = commitSingly(deps);
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isOpen = true;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const taken = waiting;
    waiting = [];
    void commitAll(deps, taken).catch(() => {
      for (const { one, resolve } of taken) resolve(commitOne(one));
    });
  };
  return {
    async commit(one) {
      if (!isOpen) return await commitOne(one);
      // A link may have moved to another group meanwhile.
      if (waiting[0] !== undefined && waiting[0].one.groupId !== one.groupId) flush();
      const added = { ...Promise.withResolvers<Committed>(), one };
      waiting.push(added);
      timer ??= setTimeout(flush, waitMs);
      return await added.promise;
    },
    close() {
      isOpen = false;
      flush();
    },
  };
}

async function commitAll({ db, now }: Uses<"db" | "now">, waiting: readonly Waiting[]): Promise<void> {
  const [first] = waiting;
  if (first === undefined) return;
  const at = now();
  const { importedAt: _, ...shared } = first.one;
  const envelopes = waiting.map(({ one }) => one.importedAt(at));
  const committed = await commitImports(db, { ...shared, now: at, envelopes });
  for (const { resolve } of waiting) resolve(committed);
}
