import { createTestDatabase, startTestServer } from "../test/support/postgres.ts";
import { generateSchemaTypes } from "../test/support/schema-types.ts";

// After a change of migrations: brings src/store/schema.ts into line with them.
await using server = await startTestServer();
await using database = await createTestDatabase(server.adminUrl);
await generateSchemaTypes(database.connectionString);
