import { execFile } from "node:child_process";
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

/** The manifests in a YAML text; throws if it is not YAML, or if one of them lacks a kind or name. */
export function readManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    const [fault] = document.errors;
    if (fault !== undefined) throw fault;
    return Manifest.parse(document.toJS());
  });
}
