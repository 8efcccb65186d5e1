import assert from "node:assert/strict";
import { findCurrentLink, type Link } from "../../src/store/links/links.ts";
import type { Companies } from "../support/linked-world.ts";
import type { World } from "../support/world.ts";

/** An envelope from the admin to a customer, with one document. */
export function wish({ admin }: Companies, subject: string) {
  return {
    from: admin,
    to: [{ name: "客", email: "kyaku@example.com" }],
    documents: [{ name: "契約書.pdf" }],
    subject,
  };
}

export async function conclude(companies: Companies, ...subjectsOf: string[]): Promise<void> {
  for (const subject of subjectsOf) await companies.world.docusign.concludeEnvelope(wish(companies, subject));
}

export async function theLink(world: World, tenant = "tenant-1"): Promise<Link> {
  const link = await findCurrentLink(world.service.foundation.tasks.db, tenant);
  assert.ok(link !== null);
  return link;
}
