import { readFile, writeFile } from "node:fs/promises";
import { README_FILE, withConfigurationTable } from "../test/support/configuration-table.ts";

// After a change of settings: brings README's table into line with them.
await writeFile(README_FILE, withConfigurationTable(await readFile(README_FILE, "utf8")));
