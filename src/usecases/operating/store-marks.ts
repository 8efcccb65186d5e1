import { text } from "node:stream/consumers";
import type { Uses } from "../capabilities.ts";

const ROLES = ["serve", "work"] as const;

/** Leaves the time in the document store when a role starts, for `doctor` to find out if both roles use the same store. */
export async function leaveMark(
  { documents, now }: Uses<"documents" | "now">,
  started: "serve" | "work" | "all",
): Promise<void> {
  for (const role of started === "all" ? ROLES : [started])
    await documents.put(keyOf(role), oneChunk(now().toISOString()));
}

/** Returns when each role last started on this document store; null if it never did. */
export async function readMarks({
  documents,
}: Uses<"documents">): Promise<{ role: (typeof ROLES)[number]; startedAt: string | null }[]> {
  return await Promise.all(
    ROLES.map(async (role) => {
      const stream = await documents.open(keyOf(role));
      return { role, startedAt: stream === null ? null : await text(stream) };
    }),
  );
}

function keyOf(role: string): string {
  return `check/${role}`;
}

async function* oneChunk(content: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(content);
}
