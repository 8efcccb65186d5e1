import { z } from "zod";
import type { FeedEntry } from "../../../store/contracts/feed.ts";
import { describeCause } from "../../../usecases/linking/describe-link.ts";
import { type change, recordedContract } from "../schemas.ts";

type Item = z.output<typeof change>;

/** Converts an entry of the feed to an item of the API. `named` adds the tenant, for readers of all tenants. */
export function toItem(entry: FeedEntry, { named }: { named: boolean }): Item {
  const { sequence, tenant, type, at, body } = entry;
  const place = { sequence, ...(named && { tenant }) };
  switch (type) {
    case "imported":
    case "deleted":
      return { ...place, type, contract: toContract(body) };
    case "link":
      return { ...place, type, at, link: { tenant, ...toLink(body) } };
    case "restored":
      return { ...place, type, at, since: RESTORED.parse(body).since };
  }
}

/** As recorded with the change, regardless of later changes to the contract. */
const { source, ...recordedFields } = recordedContract.omit({ uploadedBy: true }).shape;
const { position, sender, recipients, ...sourceOfFirstVersion } = source.shape;
const RECORDED = z.object({
  ...recordedFields,
  pages: z.int().nullable(),
  certificate: recordedFields.certificate.default(null),
  namesErased: z.boolean().default(false),
  // Version 0.1 reads no entry that has more in `source`.
  source: z.object(sourceOfFirstVersion),
  position: position.default(null),
  sender: sender.default(null),
  recipients: recipients.default(null),
});

function toContract(body: unknown): z.output<typeof recordedContract> {
  const { pages, namesErased, fileName, source: known, ...rest } = RECORDED.parse(body);
  const { position: place, sender: from, recipients: to, ...fields } = rest;
  return {
    ...fields,
    fileName: namesErased ? null : fileName,
    source: { ...known, position: place, sender: from, recipients: to },
    uploadedBy: "DocuSign",
    ...(pages !== null && { pages }),
  };
}

/** As the trigger of table `link` records it (migration 0007). */
const LINK = z.object({
  id: z.guid(),
  state: z.string(),
  cause: z.enum(["authorization-revoked", "not-admin", "group-missing"]).nullable(),
  groupId: z.string(),
  endedAt: z.coerce.date().nullable(),
});

function toLink(body: unknown): Omit<Extract<Item, { type: "link" }>["link"], "tenant"> {
  const { cause, ...link } = LINK.parse(body);
  return { ...link, cause: describeCause(cause) };
}

const RESTORED = z.object({ since: z.coerce.date() });
