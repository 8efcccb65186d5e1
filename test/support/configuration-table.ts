import assert from "node:assert/strict";
import type { Listed } from "../../src/config/setting.ts";
import { SETTING_LIST } from "../../src/config/settings.ts";

export const README_FILE = new URL("../../README.md", import.meta.url);

const TABLE = /(?<=<!-- configuration begin -->\n\n).*(?=\n\n<!-- configuration end -->)/s;

/** README with its table of settings as src/config/settings.ts describes them. */
export function withConfigurationTable(readme: string): string {
  assert.match(readme, TABLE);
  return readme.replace(TABLE, () => configurationTable());
}

function configurationTable(): string {
  const rows = SETTING_LIST.flatMap((setting) =>
    setting.meaning === undefined
      ? []
      : [`| \`${setting.name}\` | ${defaultOf(setting)} | ${setting.meaning} |`],
  );
  return ["| name | default | meaning |", "|---|---|---|", ...rows].join("\n");
}

function defaultOf({ default: text, otherwise, required }: Listed): string {
  if (text !== undefined) return `\`${text}\``;
  if (required === "always") return "required";
  return `${otherwise ?? "none"}${required === undefined ? "" : `; required ${required}`}`;
}
