import { writeFile } from "node:fs/promises";
import { VERSION } from "../src/version.ts";
import { describeApi } from "../src/web/api/openapi/document.ts";
import { ENDPOINTS } from "../src/web/api/routes.ts";
import { CLIENT_FILE, generateClient } from "../test/support/client-source.ts";

// After a change of the API: brings the client for other services into line with it.
await writeFile(CLIENT_FILE, await generateClient(describeApi(ENDPOINTS, VERSION)));
