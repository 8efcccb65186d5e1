import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, opendir, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import {
  type ByteRange,
  type DocumentStore,
  type ListedDocument,
  requireKey,
  requireRange,
  type StoredDocument,
} from "./documents.ts";
import { measure } from "./measure.ts";
import { probe } from "./probe.ts";
import { storing } from "./store-fault.ts";

const DRAFTS = "drafts";
const DRAFT_LIFE_MS = 24 * 60 * 60 * 1000;

/**
 * Stores documents as files under a folder, which is created if it is missing. Several processes may share it. Drafts
 * of killed processes are removed if they are more than a day older than `now`.
 */
export async function openFileStore(folder: string, now = new Date()): Promise<DocumentStore> {
  await mkdir(join(folder, DRAFTS), { recursive: true, mode: 0o700 });
  await removeStaleDrafts(join(folder, DRAFTS), now);
  /** Sub-folders whose names are already synced to disk. */
  const kept = new Set<string>();
  const store = {
    put: (key: string, source: AsyncIterable<Uint8Array>) => put({ folder, kept }, key, source),
    open: async (key: string, range?: ByteRange) => openFile(pathOf(folder, key), range),
    size: async (key: string) => (await unlessMissing(stat(pathOf(folder, key))))?.size ?? null,
    erase: async (key: string) => erase(pathOf(folder, key)),
    list: (under?: string) => list(folder, under),
    close: () => {},
  };
  return { ...store, check: () => probe(store, folder) };
}

async function removeStaleDrafts(drafts: string, now: Date): Promise<void> {
  for (const entry of await readdir(drafts, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const modifiedAt = await modificationTime(path);
    if (modifiedAt !== null && modifiedAt.getTime() < now.getTime() - DRAFT_LIFE_MS)
      await rm(path, { force: true });
  }
}

async function put(
  { folder, kept }: { folder: string; kept: Set<string> },
  key: string,
  source: AsyncIterable<Uint8Array>,
): Promise<StoredDocument> {
  const path = pathOf(folder, key);
  const measured = measure(source);
  // Writes at the same time would wait for each other in one folder.
  const drafts = join(folder, DRAFTS, fanOutOf(key));
  await storing(measured, async () => {
    const draft = join(drafts, randomUUID());
    try {
      const file = await writeWhole(measured.chunks, draft, kept);
      await Promise.all([file.close(), inFolder(kept, dirname(path), async () => await rename(draft, path))]);
    } catch (error) {
      // An error here would hide why the write failed. A draft that stays is removed as stale.
      await rm(draft, { force: true }).catch(() => {});
      throw error;
    }
    // A file survives a power cut only if the folders that contain it are synced as well.
    await syncFolder(dirname(path));
  });
  return measured.measured();
}

/** Makes the folder for the work, also if it was removed since, for example by a restore of the documents. */
async function inFolder<Value>(
  kept: Set<string>,
  folder: string,
  work: () => Promise<Value>,
): Promise<Value> {
  await keepFolder(kept, folder);
  try {
    return await work();
  } catch (fault) {
    if (!isMissing(fault)) throw fault;
  }
  kept.delete(folder);
  await keepFolder(kept, folder);
  return await work();
}

/**
 * Another process may have just created the folder, so each process syncs the folder's name once. Fails if the store's own
 * folder is missing, for example because its volume is not mounted.
 */
async function keepFolder(kept: Set<string>, folder: string): Promise<void> {
  if (kept.has(folder)) return;
  await mkdir(folder, { mode: 0o700 }).catch(unlessPresent);
  await syncFolder(dirname(folder));
  kept.add(folder);
}

/**
 * Returns the written and synced file, which is still open. Opens it within the loop: a source that is not read would stay
 * open if that failed.
 */
async function writeWhole(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  kept: Set<string>,
): Promise<FileHandle> {
  let file: FileHandle | null = null;
  try {
    for await (const chunk of chunks) {
      file ??= await openDraft(path, kept);
      await file.writeFile(chunk);
    }
    file ??= await openDraft(path, kept);
    await file.sync();
    return file;
  } catch (error) {
    await file?.close();
    throw error;
  }
}

async function openDraft(path: string, kept: Set<string>): Promise<FileHandle> {
  return await inFolder(kept, dirname(path), async () => await open(path, "wx", 0o600));
}

/**
 * One level of folders keeps each folder small: 256 of them, and one for each day of `deleted/`, whose days are listed
 * one by one. The file name is the key with `_` in place of `/`; keys contain no `_`. So no key reaches another folder,
 * `a` and `a/b` can both exist, and `list` can restore the key.
 */
function pathOf(folder: string, key: string): string {
  return join(folder, dayFolderOf(requireKey(key)) ?? fanOutOf(key), key.replaceAll("/", "_"));
}

const OF_DAYS = "deleted";

/** Returns the folder of a day; null if the key, or the words that it begins with, name none. */
function dayFolderOf(key: string): string | null {
  const [first, day] = key.split("/");
  return first === OF_DAYS && day !== undefined ? `${OF_DAYS}_${day}` : null;
}

function fanOutOf(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 2);
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder);
  await handle.sync();
}

async function openFile(path: string, range?: ByteRange): Promise<Readable | null> {
  const bounds = range === undefined ? {} : boundsOf(requireRange(range));
  const handle = await unlessMissing(open(path));
  return handle?.createReadStream(bounds) ?? null;
}

function boundsOf(range: ByteRange): { start: number; end: number } {
  return { start: range.first, end: range.last };
}

async function erase(path: string): Promise<void> {
  const erased = await unlessMissing(unlink(path).then(() => true));
  if (erased) await syncFolder(dirname(path));
}

async function* list(folder: string, under?: string): AsyncGenerator<ListedDocument, void, undefined> {
  const prefix = under === undefined ? "" : `${requireKey(under)}/`;
  for (const name of await foldersOf(folder, under)) {
    const entries = await unlessMissing(opendir(join(folder, name)));
    if (entries === null) continue;
    for await (const entry of entries) {
      const key = entry.name.replaceAll("_", "/");
      if (!key.startsWith(prefix)) continue;
      const modifiedAt = await modificationTime(join(folder, name, entry.name));
      if (modifiedAt !== null) yield { key, modifiedAt };
    }
  }
}

async function foldersOf(folder: string, under?: string): Promise<string[]> {
  const day = under === undefined ? null : dayFolderOf(under);
  if (day !== null) return [day];
  return (await readdir(folder)).filter((name) => name !== DRAFTS);
}

async function modificationTime(path: string): Promise<Date | null> {
  return (await unlessMissing(stat(path)))?.mtime ?? null;
}

function unlessPresent(fault: unknown): void {
  if (!(fault instanceof Error && "code" in fault && fault.code === "EEXIST")) throw fault;
}

async function unlessMissing<Value>(found: Promise<Value>): Promise<Value | null> {
  try {
    return await found;
  } catch (fault) {
    if (isMissing(fault)) return null;
    throw fault;
  }
}

function isMissing(fault: unknown): boolean {
  return fault instanceof Error && "code" in fault && fault.code === "ENOENT";
}
