import { SERVER_VARIABLE, startTestServer, type TestServer } from "./postgres.ts";

/** One server for all files of a run; `node --test --test-global-setup` calls it before the first of them. */
export async function globalSetup(): Promise<void> {
  server = await startTestServer();
  process.env[SERVER_VARIABLE] = server.adminUrl;
}

/** Called after the last file. */
export async function globalTeardown(): Promise<void> {
  await server?.[Symbol.asyncDispose]();
}

/** The two have nothing in common but this module. */
let server: TestServer | undefined;
