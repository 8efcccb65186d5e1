import { z } from "zod";
import {
  auditAction,
  connectSide,
  eventFormat,
  exclusionRule,
  linkCause,
  linkState,
  noticeCode,
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
      .meta({ description: "Id of the request in the service's logs. Include it in support requests." }),
  })
  .meta({ id: "Problem" });

const contact = { name: nullableText, email: nullableText };

const source = z.strictObject({
  envelopeId: uuid,
  documentId: z.string(),
  accountId: uuid,
  completedAt: moment,
  subject: nullableText,
  position: count.nullable().meta({
    description: "Place of the document among the envelope's content documents, from 1. Null if unknown.",
  }),
  sender: z.strictObject(contact).nullable().meta({ description: "Null if unknown." }),
  recipients: z
    .array(
      z.strictObject({
        ...contact,
        role: z
          .string()
          .meta({ description: "DocuSign's recipient type, such as `signer` or `carbonCopy`." }),
        completedAt: moment.nullable().meta({
          description: "When the recipient signed or viewed the envelope. Null if neither is known.",
        }),
      }),
    )
    .readonly()
    .nullable()
    .meta({ description: "Null if unknown." }),
});

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

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
    sha256,
    certificate: z.strictObject({ bytes: count, sha256 }).nullable().meta({
      description:
        "Certificate of completion, which all contracts of an envelope share. Null if none was imported.",
    }),
    source,
  })
  .meta({ id: "Contract" });

export const group = z.strictObject({ id: groupId, name: z.string() }).meta({ id: "Group" });

const totals = z.strictObject({
  atDocuSign: count.meta({ description: "Sum of the other four." }),
  imported: count,
  excluded: count,
  deleted: count,
  waiting: count.meta({
    description:
      "Until a large first import is listed, this includes all envelopes that DocuSign counted at linking.",
  }),
});

export const link = z
  .strictObject({
    id: uuid,
    state: linkState,
    cause: z
      .strictObject({
        code: linkCause,
        message: z
          .string()
          .meta({ description: "Text for people, in Japanese: the problem and the next step." }),
      })
      .nullable(),
    notice: z
      .strictObject({
        code: noticeCode,
        message: z.string().meta({ description: "Text for people, in Japanese." }),
        since: moment,
      })
      .nullable()
      .meta({ description: "The cause that slows an active link. Null if there is none." }),
    groupId,
    account: z.strictObject({ id: uuid, name: z.string() }),
    user: z.strictObject({ id: uuid, name: z.string(), email: nullableText }),
    linkedAt: moment,
    endedAt: moment.nullable(),
    sentFrom: moment
      .nullable()
      .meta({ description: "Sent envelopes completed at or after this moment are imported. Null: all." }),
    receivedFrom: moment
      .nullable()
      .meta({ description: "Received envelopes completed at or after this moment are imported. Null: all." }),
    certificates: z.boolean().meta({
      description: "Imports fetch the certificate of completion too, which costs a call per envelope.",
    }),
    from: dateParameter.nullable().meta({
      description:
        "Start date in Japan that an owner chose. `sentFrom` and `receivedFrom` include it. Null: none.",
    }),
    sentUntil: moment.nullable().meta({
      description:
        "All sent envelopes completed before this moment are accounted for. Null until the link has ended.",
    }),
    receivedUntil: moment.nullable().meta({
      description:
        "All received envelopes completed before this moment are accounted for. Null until the link has ended.",
    }),
    connect: z.strictObject({ sent: connectSide.nullable(), received: connectSide.nullable() }).meta({
      description:
        "State of the Connect configurations for envelopes that the account sends and the user receives. Both are null once the link has ended.",
    }),
    totals,
    excludedByRule: z
      .record(exclusionRule, count)
      .nullable()
      .meta({ description: "Number of envelopes that each rule excluded. Null once the link has ended." }),
    firstImport: z
      .strictObject({ done: count, total: count.nullable(), estimatedEnd: moment.nullable() })
      .nullable()
      .meta({
        description:
          "Progress of the first import. `total` is null if DocuSign could not count the envelopes at linking, until the first listing has. `estimatedEnd` is null then and once the import is done. Null once the link has ended.",
      }),
    lastReconciliation: moment.nullable(),
    nextReconciliation: moment.nullable(),
  })
  .meta({ id: "Link" });

const { state: linkStateField, cause, groupId: linkGroup, endedAt } = link.shape;
const FEED_LINK = { state: linkStateField, cause, groupId: linkGroup, endedAt };

export const pastLink = link
  .extend({
    audit: z
      .array(
        z.strictObject({
          at: moment,
          subject: z.string().meta({ description: "`sub` of the person who took the action." }),
          action: auditAction,
        }),
      )
      .meta({ description: "The owners' actions, oldest first." }),
  })
  .meta({ id: "PastLink" });

/** The contract as the feed recorded it. */
export const recordedContract = contract
  .extend({
    fileName: nullableText.meta({
      description:
        "The document's name in DocuSign, unchanged. 30 days after the contract's deletion, its names become null.",
    }),
  })
  .meta({ id: "RecordedContract" });

const sequence = count.meta({
  description: "Strictly increasing, with gaps: about the time in microseconds since 1970.",
});
const tenantOfItem = z.string().optional().meta({ description: "With a service token only." });

/** A closed list of types: readers get other types only if they request them. */
export const change = z
  .union([
    z
      .strictObject({
        sequence,
        tenant: tenantOfItem,
        type: z.enum(["imported", "deleted"]),
        contract: recordedContract,
      })
      .meta({ id: "ContractChange" }),
    z
      .strictObject({
        sequence,
        tenant: tenantOfItem,
        type: z.literal("link"),
        at: moment,
        link: z
          .strictObject({ id: uuid, tenant: z.string(), ...FEED_LINK })
          .meta({ description: "The link after the change." }),
      })
      .meta({ id: "LinkChange", description: "A link was created or changed, or it ended." }),
    z
      .strictObject({
        sequence,
        tenant: tenantOfItem,
        type: z.literal("restored"),
        at: moment,
        since: moment,
      })
      .meta({
        id: "Restoration",
        description:
          "The database was set back. Contracts that the reader got after `since` may be unknown here: compare with the full list.",
      }),
  ])
  .meta({ id: "Change" });

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
      .meta({ description: "The facts behind the decision. Their names may change." }),
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
      .meta({ description: "All contracts of the envelope, including deleted ones." }),
    attempts: count,
    lastAttemptAt: moment.nullable(),
    lastError: nullableText.meta({
      description: "DocuSign's or the service's error code of the last failed attempt.",
    }),
    linkId: uuid.nullable().meta({
      description:
        "The link that judged the envelope last. Null if the service has no record of the envelope.",
    }),
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
    missed: count.meta({ description: "Envelopes to import that no event had announced." }),
    excluded: z
      .record(exclusionRule, count)
      .meta({ description: "Number of envelopes that each rule excluded." }),
    waiting: count,
    failed: count.meta({
      description: "Waiting envelopes whose import failed for days. They are retried once an hour.",
    }),
    calls: count,
    atDocuSign: count
      .nullable()
      .meta({ description: "Number of all envelopes that DocuSign listed. Daily full checks only." }),
    difference: z
      .strictObject({
        atDocuSign: count,
        inLedger: count,
        unlisted: z.strictObject({ count, envelopeIds: z.array(uuid).readonly() }).meta({
          description:
            "Recorded by the service but no longer listed by DocuSign, mostly because they were deleted there.",
        }),
        unreadable: count.meta({ description: "Listed, but not readable as envelopes." }),
        uncounted: count.meta({ description: "Counted by DocuSign but not listed." }),
      })
      .nullable()
      .meta({
        description:
          "Differences between the ledger and DocuSign. Daily full checks only. Null if there are none.",
      }),
  })
  .meta({ id: "Reconciliation" });

export const groupName = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(200)
      // Without flag u and \p: the regex engines of some generated clients do not support them.
      // oxlint-disable-next-line no-control-regex -- keeps them out
      .regex(/^[^\x00-\x1F\x7F-\x9F]+$/, "must not contain control characters")
      .refine((name) => name.isWellFormed(), "must be well-formed Unicode"),
  })
  .meta({ id: "GroupName" });

const from = dateParameter
  .nullable()
  .exactOptional()
  .meta({ description: "Start date in Japan, not in the future. Null: no start date." });

const certificates = z
  .boolean()
  .exactOptional()
  .meta({ description: "Fetch certificates of completion, for imports from then on." });

const returnTo = z.string().max(2_000).exactOptional().meta({
  format: "uri",
  description:
    "Absolute https address in the cabinet to which the browser returns, instead of `/links`. The operator lists the allowed origins. It must contain no user name, password or fragment.",
});

export const linkingWish = z
  .strictObject({ groupId, from, certificates, returnTo })
  .meta({ id: "LinkingWish" });

export const linkEdit = z
  .strictObject({ groupId: groupId.exactOptional(), from, certificates })
  .refine((edit) => Object.keys(edit).length > 0, "must name what to change")
  .meta({ id: "LinkEdit", minProperties: 1 });

export const approval = z.strictObject({ from }).meta({ id: "Approval" });

export const begunLinking = z
  .strictObject({
    authorizationUrl: z.url().meta({ description: "Redirect the owner's browser to this address." }),
  })
  .meta({ id: "BegunLinking" });

const nextCursor = nullableText.meta({ description: "Cursor of the next page. Null on the last page." });

export const contractPage = z
  .strictObject({ items: z.array(contract), nextCursor })
  .meta({ id: "ContractPage" });
export const groupPage = z.strictObject({ items: z.array(group), nextCursor }).meta({ id: "GroupPage" });
export const tenant = z
  .strictObject({
    tenant: z.string(),
    state: linkState.nullable().meta({ description: "State of the tenant's link. Null without a link." }),
  })
  .meta({ id: "Tenant" });
export const tenantPage = z.strictObject({ items: z.array(tenant), nextCursor }).meta({ id: "TenantPage" });
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
