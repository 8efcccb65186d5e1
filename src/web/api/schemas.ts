import { z } from "zod";
import { count, groupId, moment, uuid } from "./fields.ts";
import { dateParameter } from "./query.ts";

const nullableText = z.string().nullable();

export const problem = z
  .object({
    type: z.string().meta({ description: "`urn:torikomi:problem:` and a stable code." }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    instance: z.string().optional().meta({ description: "Names the request; support asks for it." }),
  })
  .meta({ id: "Problem" });

export const contract = z
  .strictObject({
    id: uuid,
    tenant: z.string(),
    groupId,
    fileName: z.string().meta({ description: "As in DocuSign, unchanged." }),
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
    sequence: count.meta({ description: "Grows strictly; there may be gaps." }),
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
    description: "Those counted at linking among them, until a large first import is listed.",
  }),
});

export const link = z
  .strictObject({
    id: uuid,
    state: z.enum(["active", "awaiting-approval", "error", "ended"]),
    cause: z
      .strictObject({
        code: z.enum(["authorization-revoked", "not-admin", "group-missing"]),
        message: z.string().meta({ description: "For a person, in Japanese: what happened and what to do." }),
      })
      .nullable(),
    groupId,
    account: z.strictObject({ id: uuid, name: z.string() }),
    user: z.strictObject({ id: uuid, name: z.string(), email: nullableText }),
    linkedAt: moment,
    endedAt: moment.nullable(),
    sentFrom: moment.nullable().meta({ description: "Sent envelopes from here on; null: all history." }),
    receivedFrom: moment
      .nullable()
      .meta({ description: "Received envelopes from here on; null: all history." }),
    sentUntil: moment
      .nullable()
      .meta({ description: "Once ended: up to here all sent envelopes are accounted for." }),
    receivedUntil: moment.nullable().meta({ description: "Once ended: the same for received envelopes." }),
    connect: z.strictObject({ sent: nullableText, received: nullableText }).meta({
      description:
        "`active`, or why DocuSign sends no events: imports then come by the hour only. Both null once the link has ended.",
    }),
    totals,
    excludedByRule: z.record(z.string(), count).nullable(),
    firstImport: z
      .strictObject({ done: count, total: count, estimatedEnd: moment.nullable() })
      .nullable()
      .meta({
        description: "`estimatedEnd` is null once it is through; all is null once the link has ended.",
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
          subject: z.string().meta({ description: "`sub` of who did it." }),
          action: z.string().meta({ description: "`linked`, `repaired`, `edited`, `approved`, `ended`." }),
        }),
      )
      .meta({ description: "Who did what, the oldest first." }),
  })
  .meta({ id: "PastLink" });

export const explanation = z
  .strictObject({
    envelopeId: uuid,
    outcome: z.enum(["imported", "excluded", "deleted", "waiting", "unknown"]),
    reason: z.string().meta({ description: "A stable code." }),
    text: z.string().meta({ description: "For the customer; Japanese, or English by Accept-Language." }),
    facts: z.record(z.string(), z.unknown()).meta({ description: "What the decision rests on." }),
    events: z.array(
      z.strictObject({
        event: z.string(),
        format: z.string(),
        generatedAt: moment.nullable(),
        receivedAt: moment,
      }),
    ),
    contracts: z
      .array(contract.extend({ deletedAt: moment.nullable() }))
      .meta({ description: "All that came of it; deleted ones are remembered." }),
    attempts: count,
    lastAttemptAt: moment.nullable(),
    lastError: nullableText,
    linkId: uuid
      .nullable()
      .meta({ description: "The link that judged it last; null: nothing is recorded of it." }),
    decidedAt: moment.nullable(),
    waitingFor: z.strictObject({ reason: z.string(), until: moment.nullable() }).nullable(),
  })
  .meta({ id: "Explanation" });

export const reconciliation = z
  .strictObject({
    id: uuid,
    linkId: uuid,
    kind: z.enum(["first", "hourly", "full", "manual", "closing"]),
    state: z.enum(["running", "done", "failed"]),
    from: moment,
    to: moment.meta({ description: "Envelopes that completed before this were looked at." }),
    startedAt: moment,
    durationMs: count.nullable(),
    listed: count,
    known: count,
    missed: count.meta({ description: "To be imported, and no event had told of them." }),
    excluded: z.record(z.string(), count).meta({ description: "By rule." }),
    waiting: count,
    failed: count.meta({ description: "Of those that wait: tried for days, and from now on once an hour." }),
    calls: count,
    atDocuSign: count
      .nullable()
      .meta({ description: "Full checks, once a day: what DocuSign listed in all." }),
    difference: z
      .strictObject({
        atDocuSign: count,
        inLedger: count,
        unlisted: z
          .strictObject({ count, envelopeIds: z.array(uuid).readonly() })
          .meta({ description: "Known here, but no longer listed by DocuSign: mostly deleted there." }),
        unreadable: count.meta({ description: "Listed, but not to be read as envelopes." }),
        uncounted: count.meta({ description: "Counted by DocuSign, but not listed." }),
      })
      .nullable()
      .meta({ description: "Full checks: what differs; null where nothing does." }),
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
    authorizationUrl: z.url().meta({ description: "Where to send the owner's browser." }),
  })
  .meta({ id: "BegunLinking" });

const nextCursor = nullableText.meta({ description: "For the next page; null on the last one." });

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
    next: count.meta({ description: "`after` of the next request; always there." }),
  })
  .meta({ id: "ChangePage" });
