import { z } from "zod";
import {
  auditAction,
  connectSide,
  eventFormat,
  exclusionRule,
  linkCause,
  linkState,
  outcome,
  problemType,
  reason,
  reconciliationKind,
  reconciliationState,
  waitingReason,
} from "./codes.ts";
import { count, groupId, moment, uuid } from "./fields.ts";
import { dateParameter } from "./query.ts";

const nullableText = z.string().nullable();

export const problem = z
  .object({
    type: problemType,
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    instance: z
      .string()
      .optional()
      .meta({ description: "Names the request in our logs. Support asks for it." }),
  })
  .meta({ id: "Problem" });

export const contract = z
  .strictObject({
    id: uuid,
    tenant: z.string(),
    groupId,
    fileName: z.string().meta({ description: "The document's name in DocuSign, unchanged." }),
    concludedOn: dateParameter.meta({ description: "契約締結日: the date of completion in Japan." }),
    uploadedBy: z.literal("DocuSign"),
    importedAt: moment,
    pages: count.optional(),
    bytes: count,
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    source: z.strictObject({
      envelopeId: uuid,
      documentId: z.string(),
      accountId: uuid,
      completedAt: moment,
      subject: nullableText,
    }),
  })
  .meta({ id: "Contract" });

export const change = z
  .strictObject({
    sequence: count.meta({ description: "Grows strictly, with gaps." }),
    // Closed: other types come only to readers that ask for them.
    type: z.enum(["imported", "deleted"]),
    contract,
  })
  .meta({ id: "Change" });

export const group = z.strictObject({ id: groupId, name: z.string() }).meta({ id: "Group" });

const totals = z.strictObject({
  atDocuSign: count.meta({ description: "The sum of the other four." }),
  imported: count,
  excluded: count,
  deleted: count,
  waiting: count.meta({
    description: "Includes what DocuSign counted at linking until a large first import is listed.",
  }),
});

export const link = z
  .strictObject({
    id: uuid,
    state: linkState,
    cause: z
      .strictObject({
        code: linkCause,
        message: z.string().meta({ description: "What happened and what to do, for a person, in Japanese." }),
      })
      .nullable(),
    groupId,
    account: z.strictObject({ id: uuid, name: z.string() }),
    user: z.strictObject({ id: uuid, name: z.string(), email: nullableText }),
    linkedAt: moment,
    endedAt: moment.nullable(),
    sentFrom: moment
      .nullable()
      .meta({ description: "Sent envelopes completed from here on are imported. Null: all." }),
    receivedFrom: moment
      .nullable()
      .meta({ description: "Received envelopes completed from here on are imported. Null: all." }),
    sentUntil: moment
      .nullable()
      .meta({ description: "Once ended: all sent envelopes completed before are accounted for." }),
    receivedUntil: moment
      .nullable()
      .meta({ description: "Once ended: all received envelopes completed before are accounted for." }),
    connect: z.strictObject({ sent: connectSide.nullable(), received: connectSide.nullable() }).meta({
      description:
        "Whether DocuSign sends events about what the account sends and the user receives. Both are null once the link has ended.",
    }),
    totals,
    excludedByRule: z
      .record(exclusionRule, count)
      .nullable()
      .meta({ description: "How many envelopes each rule excluded. Null once the link has ended." }),
    firstImport: z
      .strictObject({ done: count, total: count, estimatedEnd: moment.nullable() })
      .nullable()
      .meta({
        description:
          "Progress of the first import. `estimatedEnd` is null once it is done. Null once the link has ended.",
      }),
    lastReconciliation: moment.nullable(),
    nextReconciliation: moment.nullable(),
  })
  .meta({ id: "Link" });

export const pastLink = link
  .extend({
    audit: z
      .array(
        z.strictObject({
          at: moment,
          subject: z.string().meta({ description: "`sub` of the person who did it." }),
          action: auditAction,
        }),
      )
      .meta({ description: "Who did what, oldest first." }),
  })
  .meta({ id: "PastLink" });

export const explanation = z
  .strictObject({
    envelopeId: uuid,
    outcome,
    reason,
    text: z
      .string()
      .meta({ description: "The explanation for the customer, in the language of `Content-Language`." }),
    facts: z
      .record(z.string(), z.unknown())
      .meta({ description: "The facts that the decision rests on. Their names may change." }),
    events: z.array(
      z.strictObject({
        event: z
          .string()
          .meta({ description: "DocuSign's name of the event, such as `envelope-completed`." }),
        format: eventFormat,
        generatedAt: moment.nullable(),
        receivedAt: moment,
      }),
    ),
    contracts: z
      .array(contract.extend({ deletedAt: moment.nullable() }))
      .meta({ description: "All contracts of the envelope, deleted ones included." }),
    attempts: count,
    lastAttemptAt: moment.nullable(),
    lastError: nullableText.meta({ description: "DocuSign's code or ours for how the last attempt failed." }),
    linkId: uuid
      .nullable()
      .meta({ description: "The link that judged it last. Null if nothing is recorded of the envelope." }),
    decidedAt: moment.nullable(),
    waitingFor: z.strictObject({ reason: waitingReason, until: moment.nullable() }).nullable(),
  })
  .meta({ id: "Explanation" });

export const reconciliation = z
  .strictObject({
    id: uuid,
    linkId: uuid,
    kind: reconciliationKind,
    state: reconciliationState,
    from: moment,
    to: moment.meta({ description: "Envelopes completed before this moment were listed." }),
    startedAt: moment,
    durationMs: count.nullable(),
    listed: count,
    known: count,
    missed: count.meta({ description: "To be imported, and not announced by an event." }),
    excluded: z.record(exclusionRule, count).meta({ description: "How many envelopes each rule excluded." }),
    waiting: count,
    failed: count.meta({
      description: "Waiting envelopes whose import failed for days. They are retried once an hour.",
    }),
    calls: count,
    atDocuSign: count
      .nullable()
      .meta({ description: "How many envelopes DocuSign listed in all. Daily full checks only." }),
    difference: z
      .strictObject({
        atDocuSign: count,
        inLedger: count,
        unlisted: z.strictObject({ count, envelopeIds: z.array(uuid).readonly() }).meta({
          description: "Known here but no longer listed by DocuSign, mostly because they were deleted there.",
        }),
        unreadable: count.meta({ description: "Listed, but not readable as envelopes." }),
        uncounted: count.meta({ description: "Counted by DocuSign but not listed." }),
      })
      .nullable()
      .meta({
        description: "How the ledger and DocuSign differ. Daily full checks only; null if they agree.",
      }),
  })
  .meta({ id: "Reconciliation" });

export const groupName = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(200)
      // Without flag u and \p: generated clients check it with engines that know neither.
      // oxlint-disable-next-line no-control-regex -- keeps them out
      .regex(/^[^\x00-\x1F\x7F-\x9F]+$/, "may not hold control characters")
      .refine((name) => name.isWellFormed(), "has to be well-formed Unicode"),
  })
  .meta({ id: "GroupName" });

export const groupChoice = z.strictObject({ groupId }).meta({ id: "GroupChoice" });

export const begunLinking = z
  .strictObject({
    authorizationUrl: z.url().meta({ description: "Send the owner's browser here." }),
  })
  .meta({ id: "BegunLinking" });

const nextCursor = nullableText.meta({ description: "Cursor of the next page. Null on the last page." });

export const contractPage = z
  .strictObject({ items: z.array(contract), nextCursor })
  .meta({ id: "ContractPage" });
export const groupPage = z.strictObject({ items: z.array(group), nextCursor }).meta({ id: "GroupPage" });
export const linkPage = z.strictObject({ items: z.array(pastLink), nextCursor }).meta({ id: "LinkPage" });
export const reconciliationPage = z
  .strictObject({ items: z.array(reconciliation), nextCursor })
  .meta({ id: "ReconciliationPage" });
export const changePage = z
  .strictObject({
    items: z.array(change),
    next: count.meta({ description: "`after` of the next request." }),
  })
  .meta({ id: "ChangePage" });
