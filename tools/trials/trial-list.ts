import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { sql } from "kysely";
import pg from "pg";
import type { Call } from "../../test/support/docusign/exchange.ts";
import type { S3Server } from "../../test/support/s3-server.ts";
import { countConnections, cutConnections } from "../../test/support/trials/activity.ts";
import type { Ground } from "../../test/support/trials/ground.ts";
import { runCommand } from "../../test/support/trials/program.ts";
import type { Trial } from "../../test/support/trials/trial.ts";
import type { TrialCluster } from "./cluster.ts";

export type Settings = {
  readonly cluster: TrialCluster;
  readonly s3: S3Server;
  /** How long what is away stays away. */
  readonly awayMs: number;
  /** A file that libfaketime reads; null if the library is not installed. */
  readonly clockFile: string | null;
};

/** Every trial of the full form, in the order of the table. */
export function listTrials({ cluster, s3, awayMs, clockFile }: Settings): Trial[] {
  const seconds = awayMs / 1000;
  return [
    ...CRASHES,
    ROLLING_RESTART,
    {
      name: "PostgreSQL stopped",
      fault: `PostgreSQL stopped for ${seconds} s`,
      isTold: true,
      befall: async () => {
        await cluster.stop();
        await pause(awayMs);
        await cluster.start();
      },
    },
    {
      name: "PostgreSQL killed",
      fault: `PostgreSQL killed (kill -9), started again after ${seconds / 2} s`,
      isTold: true,
      befall: async () => {
        await cluster.kill();
        await pause(awayMs / 2);
        await cluster.start();
      },
    },
    CONNECTIONS_CUT,
    CONNECTIONS_EXHAUSTED,
    slotsTaken(awayMs),
    noFolder(awayMs),
    diskFull(awayMs),
    bucketClosed(s3, awayMs),
    ...docuSignTrials(awayMs),
    ...(clockFile === null ? [] : [clockStep(clockFile)]),
  ];
}

const CRASHES: readonly Trial[] = [
  {
    name: "serve killed",
    fault: "one `serve` killed (kill -9), started again",
    befall: async (ground) => void (await ground.replace("serve-1", "SIGKILL")),
  },
  {
    name: "work killed",
    fault: "one `work` killed (kill -9), started again",
    befall: async (ground) => void (await ground.replace("work-1", "SIGKILL")),
  },
  {
    name: "all killed",
    fault: "both `serve` and both `work` killed (kill -9) at once, started again",
    befall: async (ground) => {
      await Promise.all([...ground.programs.keys()].map((name) => ground.replace(name, "SIGKILL")));
    },
  },
  {
    name: "reconcile killed",
    fault: "`torikomi reconcile` killed (kill -9) three times while it runs",
    befall: async ({ environment }) => {
      for (const afterMs of [600, 900, 1_200]) {
        await runCommand(["reconcile"], environment, (child) =>
          setTimeout(() => child.kill("SIGKILL"), afterMs),
        );
      }
    },
  },
];

const ROLLING_RESTART: Trial = {
  name: "rolling restart",
  fault: "each process in turn ended by SIGTERM and restarted",
  befall: async (ground) => {
    for (const name of ground.programs.keys()) await ground.replace(name, "SIGTERM");
  },
};

const CONNECTIONS_CUT: Trial = {
  name: "connections cut",
  fault: "all connections to PostgreSQL cut (pg_terminate_backend), three times",
  isTold: true,
  befall: async ({ database }) => {
    for (let times = 0; times < 3; times += 1) {
      await cutConnections(database.db);
      await pause(1_500);
    }
  },
};

const READERS = 60;

const CONNECTIONS_EXHAUSTED: Trial = {
  name: "pool exhausted",
  fault: `every connection of the \`serve\` pools taken for 8 s by ${READERS} queries that wait for a lock`,
  isTold: true,
  befall: async (ground) => {
    const readers: Promise<unknown>[] = [];
    await ground.database.db.transaction().execute(async (tx) => {
      await sql`lock table contract in access exclusive mode`.execute(tx);
      for (let reader = 0; reader < READERS; reader += 1) readers.push(read(ground));
      await pause(8_000);
    });
    await Promise.all(readers);
  },
};

/** The answer does not matter here. */
async function read(ground: Ground): Promise<void> {
  const authorization = `Bearer ${await ground.token()}`;
  const response = await fetch(`${ground.url}/v1/contracts`, { headers: { authorization } });
  await response.arrayBuffer();
}

function slotsTaken(awayMs: number): Trial {
  return {
    name: "no connection free",
    fault: `PostgreSQL's \`max_connections\` taken by other clients for ${awayMs / 1000} s, our connections cut`,
    isTold: true,
    befall: async ({ database, connectionString }) => {
      const others: pg.Client[] = [];
      try {
        // Held throughout: there would be none for us either.
        await database.db.connection().execute(async (session) => {
          while (others.length === 0 || (await countConnections(session)) > 0) {
            await cutConnections(session);
            while (await takeSlot(connectionString, others));
          }
        });
        await pause(awayMs);
      } finally {
        await Promise.all(others.map(async (client) => await client.end()));
      }
    },
  };
}

async function takeSlot(connectionString: string, taken: pg.Client[]): Promise<boolean> {
  const client = new pg.Client({ connectionString, application_name: "others" });
  client.on("error", () => {});
  try {
    await client.connect();
    taken.push(client);
    return true;
  } catch {
    return false;
  }
}

function noFolder(awayMs: number): Trial {
  return {
    name: "document folder gone",
    fault: `a file in place of the documents' folder for ${awayMs / 1000} s`,
    isTold: true,
    befall: async ({ dataDir }) => {
      const folder = join(dataDir, "documents");
      await rename(folder, `${folder}.away`);
      await writeFile(folder, "");
      await pause(awayMs);
      await rm(folder);
      await rename(`${folder}.away`, folder);
    },
  };
}

/** Documents of the load are larger, notes for its second document are not. */
const LARGEST_FILE = 20_000;

function diskFull(awayMs: number): Trial {
  return {
    name: "disk full",
    fault: `writes of documents fail half-way for ${awayMs / 1000} s (RLIMIT_FSIZE)`,
    isTold: true,
    befall: async ({ programs }) => {
      const workers = [...programs.values()].filter(({ name }) => name.startsWith("work"));
      for (const { pid } of workers) limitFiles(pid, String(LARGEST_FILE));
      await pause(awayMs);
      for (const { pid } of workers) limitFiles(pid, "unlimited");
    },
  };
}

function limitFiles(pid: number, bytes: string): void {
  const { status, stderr } = spawnSync("prlimit", [`--pid=${pid}`, `--fsize=${bytes}:unlimited`]);
  if (status !== 0) throw new Error(`prlimit: ${stderr.toString()}`);
}

/** Every other trial keeps its documents in files. */
function bucketClosed(s3: S3Server, awayMs: number): Trial {
  return {
    name: "S3 refuses writes",
    fault: `documents in S3, where every write fails with 403 for ${awayMs / 1000} s`,
    isTold: true,
    options: {
      environment: {
        DOCUMENT_STORE: `s3://${s3.bucket}/trials`,
        AWS_ENDPOINT_URL: s3.endpoint,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "S3RVER",
        AWS_SECRET_ACCESS_KEY: "S3RVER",
      },
    },
    befall: async () => {
      s3.refuseWrites(true);
      await pause(awayMs);
      s3.refuseWrites(false);
    },
  };
}

function docuSignTrials(awayMs: number): Trial[] {
  const throttled = {
    status: 429,
    headers: { "Retry-After": "5" },
    body: { errorCode: "BURST_APIINVOCATION_LIMIT_EXCEEDED", message: "slow down" },
  };
  return [
    {
      name: "DocuSign 500",
      fault: "DocuSign answers 40 calls with 500",
      befall: async ({ docusign }) => docusign.failNext(40, { status: 500 }, isApiCall),
    },
    {
      name: "DocuSign 429",
      fault: "DocuSign answers 20 calls with 429 and `Retry-After: 5`",
      befall: async ({ docusign }) => docusign.failNext(20, throttled, isApiCall),
    },
    {
      name: "DocuSign HTML",
      fault: "DocuSign answers 40 calls with 200 and an HTML page",
      befall: async ({ docusign }) =>
        docusign.failNext(40, { status: 200, html: "<html><body>maintenance</body></html>" }, isApiCall),
    },
    {
      name: "DocuSign silent",
      fault: "6 calls to DocuSign get no response",
      befall: async ({ docusign }) => {
        for (let calls = 0; calls < 6; calls += 1) docusign.hangNext(isApiCall);
      },
    },
    {
      name: "half a document",
      fault: "8 downloads end half-way, 2 stall half-way",
      befall: async ({ docusign }) => {
        for (let downloads = 0; downloads < 8; downloads += 1) docusign.truncateNextDownload();
        for (let downloads = 0; downloads < 2; downloads += 1) docusign.stallNextDownload();
      },
    },
    {
      name: "DocuSign away",
      fault: `DocuSign accepts no connections for ${awayMs / 1000} s`,
      befall: async ({ docusign }) => {
        docusign.goDown();
        await pause(awayMs);
        docusign.comeUp();
      },
    },
  ];
}

/** Logins and tokens go to DocuSign's account server. */
function isApiCall({ template }: Call): boolean {
  return !template.startsWith("/oauth");
}

/** The path in Debian's package `faketime`. */
const FAKETIME = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(
  (architecture) => `/usr/lib/${architecture}/faketime/libfaketime.so.1`,
);

/** Null if it is not installed. */
export function findFaketime(): string | null {
  return FAKETIME.find((path) => existsSync(path)) ?? null;
}

function clockStep(clockFile: string): Trial {
  return {
    name: "clock step",
    fault:
      "all clocks an hour ahead for 8 s, during a reconciliation, then correct, then an hour behind for 4 s",
    options: {
      environment: {
        LD_PRELOAD: findFaketime() ?? "",
        FAKETIME_TIMESTAMP_FILE: clockFile,
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
        FAKETIME_CACHE_DURATION: "1",
      },
    },
    befall: async ({ command }) => {
      await writeFile(clockFile, "+1h\n");
      await pause(4_000);
      await command(["reconcile"]);
      await pause(4_000);
      await writeFile(clockFile, "-1h\n");
      await pause(4_000);
      await writeFile(clockFile, "+0\n");
    },
  };
}
