import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/**
 * Writes src/store/schema.ts from a migrated database, or with `--verify` throws if the file says something else.
 * Leaves out what is graphile-worker's and kysely's.
 */
export async function generateSchemaTypes(connectionString: string, ...flags: "--verify"[]): Promise<void> {
  const codegen = fileURLToPath(new URL("../../node_modules/.bin/kysely-codegen", import.meta.url));
  const outFile = fileURLToPath(new URL("../../src/store/schema.ts", import.meta.url));
  const args = [
    "--dialect=postgres",
    "--date-parser=string",
    `--url=${connectionString}`,
    `--out-file=${outFile}`,
  ];
  await promisify(execFile)(process.execPath, [
    codegen,
    ...args,
    "--exclude-pattern=(graphile_worker.*|kysely_*)",
    ...flags,
  ]);
}
