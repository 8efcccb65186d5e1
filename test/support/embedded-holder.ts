import { once } from "node:events";
import { openEmbeddedPostgres } from "../../src/store/embedded/postgres.ts";

// A program of ours that uses the embedded PostgreSQL of the given folder until its input ends.
const server = await openEmbeddedPostgres({
  dataDir: process.argv[2] ?? "",
  production: false,
  durable: false,
});
process.stdout.write(`${server.connectionString}\n`);
process.stdin.resume();
await once(process.stdin, "end");
await server.close();
