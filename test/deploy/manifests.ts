import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

const KUSTOMIZE = fileURLToPath(import.meta.resolve("kustomize/run.js"));
const DEPLOY = fileURLToPath(new URL("../../deploy/", import.meta.url));

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});
export type Manifest = z.infer<typeof Manifest>;

/** The output of `kustomize build` for a folder of `deploy`. */
export async function renderManifests(folder: string): Promise<Manifest[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [KUSTOMIZE, "build", folder], {
    cwd: DEPLOY,
  });
  return readManifests(stdout);
}

/** The output of `kustomize build` for a folder of a copy of `deploy` in which someone edited a file. */
export async function renderEdited(
  folder: string,
  { file, edit }: { readonly file: string; readonly edit: (text: string) => string },
): Promise<Manifest[]> {
  const copy = await mkdtemp(join(tmpdir(), "torikomi-deploy-"));
  try {
    await cp(DEPLOY, copy, { recursive: true });
    const path = join(copy, file);
    const text = await readFile(path, "utf8");
    const edited = edit(text);
    if (edited === text) throw new Error(`the edit of ${file} changes nothing`);
    await writeFile(path, edited);
    return await renderManifests(join(copy, folder));
  } finally {
    await rm(copy, { recursive: true });
  }
}

/** The manifests in a YAML text; throws if it is not YAML, or if one of them lacks a kind or name. */
export function readManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    const [fault] = document.errors;
    if (fault !== undefined) throw fault;
    return Manifest.parse(document.toJS());
  });
}
