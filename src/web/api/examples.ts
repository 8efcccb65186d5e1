import type { z } from "zod";
import type {
  changePage,
  contract,
  explanation,
  group,
  link,
  pastLink,
  reconciliation,
  tenant,
} from "./schemas.ts";

/** The form in which the API sends a value. The examples below are fictitious and share their ids. */
type Wire<Schema extends z.ZodType> = z.input<Schema>;

export const CONTRACT: Wire<typeof contract> = {
  id: "5f0c2d34-7a51-4c0e-9a39-1f6f4c1e8b02",
  tenant: "tenant-1",
  groupId: "sales",
  fileName: "業務委託契約書.docx",
  concludedOn: "2026-04-01",
  uploadedBy: "DocuSign",
  importedAt: "2026-03-31T15:00:02.345Z",
  pages: 4,
  bytes: 182_345,
  sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  certificate: null,
  source: {
    envelopeId: "93be49ab-5afa-4acd-98b4-f0b5e2b0c0a1",
    documentId: "1",
    accountId: "2b7f4a9e-9d4b-4a53-8f0f-5b7a3c1d9e10",
    completedAt: "2026-03-31T15:00:00.000Z",
    subject: "業務委託契約書のご確認",
    position: 1,
    sender: { name: "山田 花子", email: "hanako@example.com" },
    recipients: [
      {
        name: "鈴木 一郎",
        email: "ichiro@example.com",
        role: "signer",
        completedAt: "2026-03-31T15:00:00.000Z",
      },
    ],
  },
};

export const GROUP: Wire<typeof group> = { id: "sales", name: "営業部の契約書" };

export const CHANGES: Wire<typeof changePage> = {
  items: [{ sequence: 1_774_969_202_345_000, type: "imported", contract: CONTRACT }],
  next: 1_774_969_202_345_000,
};

export const TENANT: Wire<typeof tenant> = { tenant: CONTRACT.tenant, state: "active" };

export const LINK: Wire<typeof link> = {
  id: "c1f3b1de-3c0a-4f5e-8a74-2d9d2f6f7a55",
  state: "active",
  cause: null,
  notice: null,
  groupId: "sales",
  account: { id: "2b7f4a9e-9d4b-4a53-8f0f-5b7a3c1d9e10", name: "株式会社サンプル" },
  user: { id: "7d0a2f6e-1a7b-4c35-9f0e-6a1b2c3d4e5f", name: "山田 花子", email: "hanako@example.com" },
  linkedAt: "2026-03-01T01:20:00.000Z",
  endedAt: null,
  sentFrom: null,
  receivedFrom: null,
  certificates: false,
  from: null,
  sentUntil: null,
  receivedUntil: null,
  connect: { sent: "active", received: "not-available" },
  totals: { atDocuSign: 120, imported: 100, excluded: 15, deleted: 2, waiting: 3 },
  excludedByRule: { "not-ours": 14, "documents-purged": 1 },
  firstImport: { done: 110, total: 110, estimatedEnd: null },
  lastReconciliation: "2026-03-31T15:00:04.000Z",
  nextReconciliation: "2026-03-31T16:00:00.000Z",
};

export const PAUSED_LINK: Wire<typeof link> = { ...LINK, state: "paused", nextReconciliation: null };

export const PAST_LINK: Wire<typeof pastLink> = {
  ...LINK,
  audit: [{ at: LINK.linkedAt, subject: "owner-1", action: "linked" }],
};

export const EXPLANATION: Wire<typeof explanation> = {
  envelopeId: CONTRACT.source.envelopeId,
  outcome: "imported",
  reason: "sent",
  text: "連携アカウントのユーザーが送信し、日本時間2026年4月1日0時0分0秒に締結が完了した契約書のため、取り込みました。",
  facts: { status: "completed", sentByAccount: true, receivedByUser: false, contentDocuments: 1 },
  events: [
    {
      event: "envelope-completed",
      format: "json-sim",
      generatedAt: "2026-03-31T15:00:01.000Z",
      receivedAt: "2026-03-31T15:00:01.400Z",
    },
  ],
  contracts: [{ ...CONTRACT, deletedAt: null }],
  attempts: 1,
  lastAttemptAt: "2026-03-31T15:00:01.500Z",
  lastError: null,
  linkId: LINK.id,
  decidedAt: CONTRACT.importedAt,
  waitingFor: null,
};

export const RECONCILIATION: Wire<typeof reconciliation> = {
  id: "0a4c9f0e-2f55-4f0b-bd26-4b8f4e7a9d31",
  linkId: LINK.id,
  kind: "hourly",
  state: "done",
  from: "2026-03-30T15:00:00.000Z",
  to: "2026-03-31T15:00:00.000Z",
  startedAt: "2026-03-31T15:00:03.000Z",
  durationMs: 1_000,
  listed: 9,
  known: 8,
  missed: 0,
  excluded: { "not-ours": 1 },
  waiting: 0,
  failed: 0,
  calls: 2,
  atDocuSign: null,
  difference: null,
};
