// The floor: the shortest straight-line programs that do the work which cannot be spared. See README.md. Needs `pg` and Node only.
import { createHash, createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { open, rename } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

/** Tables of the floor's own, as few and as narrow as the promises allow. */
export async function setUp(pool) {
  await pool.query(`
    drop table if exists floor_event, floor_link, floor_ledger, floor_contract, floor_change, floor_run;
    create table floor_link (id uuid primary key, account_id uuid, token text, reached timestamptz);
    create table floor_event (link_id uuid, identity text, body bytea, primary key (link_id, identity));
    create table floor_ledger (link_id uuid, envelope_id uuid, state text, due timestamptz, primary key (link_id, envelope_id));
    create table floor_contract (id uuid primary key, link_id uuid, envelope_id uuid, document_id text, name text, sha256 text, bytes bigint, imported_at timestamptz, unique (link_id, envelope_id, document_id));
    create table floor_change (id bigint generated always as identity primary key, contract_id uuid, at timestamptz);
    create table floor_run (link_id uuid, at timestamptz, listed int, primary key (link_id, at))`);
}

/** One statement of a name is planned once a connection, as a careful program would have it. */
const run = (client, name, text, values) => client.query({ name, text, values });

async function getJson(url, token) {
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${token}`, accept: "application/json" },
  });
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  return response.json();
}

/** Streams a document to disk: hashed on the way, synced, then named. */
async function download(url, token, path) {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  const hash = createHash("sha256");
  const file = await open(`${path}.part`, "wx");
  let bytes = 0;
  try {
    for await (const chunk of response.body) {
      hash.update(chunk);
      bytes += chunk.length;
      await file.write(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
  return { sha256: hash.digest("hex"), bytes };
}

/**
 * Imports one envelope. A listing has told `documents` already ([{documentId, name}]), or they are asked for: one call.
 * Then a call a document; one statement before (claim) and one transaction of one statement after (contracts, change, ledger).
 */
export async function importEnvelope({ pool, directory }, { link, envelopeId, documents }) {
  const base = `${link.baseUrl}/restapi/v2.1/accounts/${link.accountId}/envelopes/${envelopeId}`;
  await run(
    pool,
    "claim",
    `insert into floor_ledger values ($1, $2, 'waiting', now() + interval '2 minutes')
    on conflict (link_id, envelope_id) do update set due = excluded.due`,
    [link.id, envelopeId],
  );
  const found =
    documents ??
    (await getJson(`${base}?include=recipients,documents`, link.token)).envelopeDocuments.filter(
      (one) => one.type === "content",
    );
  const contracts = [];
  for (const { documentId, name } of found) {
    const id = randomUUID();
    contracts.push({
      id,
      document_id: documentId,
      name,
      ...(await download(`${base}/documents/${documentId}`, link.token, join(directory, id))),
    });
  }
  await run(
    pool,
    "commit",
    `with input as (select * from json_to_recordset($3) as t (id uuid, document_id text, name text, sha256 text, bytes bigint)),
    fresh as (insert into floor_contract select id, $1, $2, document_id, name, sha256, bytes, now() from input on conflict do nothing returning id),
    told as (insert into floor_change (contract_id, at) select id, now() from fresh)
    update floor_ledger set state = 'imported', due = null where link_id = $1 and envelope_id = $2`,
    [link.id, envelopeId, JSON.stringify(contracts)],
  );
  return contracts.map(({ id }) => id);
}

/** An hour in which nothing completed: two listings (sent, received), one statement that accounts for it. */
export async function quietHour({ pool }, link, { from, to }) {
  const query = new URLSearchParams({
    from_date: from,
    to_date: to,
    from_to_status: "completed",
    status: "completed",
    order_by: "completed",
    order: "asc",
    include: "recipients,documents",
    count: "1000",
  });
  const base = `${link.baseUrl}/restapi/v2.1/accounts/${link.accountId}/envelopes?${query}`;
  const [sent, received] = [
    await getJson(base, link.token),
    await getJson(`${base}&user_filter=recipient`, link.token),
  ];
  const listed = (sent.envelopes?.length ?? 0) + (received.envelopes?.length ?? 0);
  await run(
    pool,
    "account",
    `with entry as (insert into floor_run values ($1, $2, $3) on conflict do nothing)
    update floor_link set reached = $2 where id = $1`,
    [link.id, to, listed],
  );
  return listed;
}

/** Receives signed events, records each with a notification in one commit, imports what it hears of. `onReadable(envelopeId)`. */
export async function startReceiver({ pool, directory, links, hmacKey, onReadable }) {
  const listener = await pool.connect();
  listener.on("notification", ({ payload }) => {
    const [linkId, envelopeId] = payload.split(" ");
    importEnvelope({ pool, directory }, { link: links.get(linkId), envelopeId }).then(() =>
      onReadable(envelopeId),
    );
  });
  await listener.query("listen floor");
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const signature = Buffer.from(request.headers["x-docusign-signature-1"] ?? "", "base64");
    const digest = createHmac("sha256", hmacKey).update(body).digest();
    if (signature.length !== digest.length || !timingSafeEqual(signature, digest))
      return response.writeHead(401).end();
    const linkId = request.url.slice("/connect/".length);
    const message = JSON.parse(body);
    const identity = `${message.configurationId} ${message.data.envelopeId} ${message.event} ${message.generatedDateTime}`;
    await run(
      pool,
      "record",
      `with fresh as (insert into floor_event values ($1, $2, $3) on conflict do nothing returning link_id)
      select pg_notify('floor', link_id || ' ' || $4::text) from fresh`,
      [linkId, identity, body, message.data.envelopeId],
    );
    response.writeHead(200).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      await new Promise((resolve) => server.close(resolve));
      listener.release(true);
    },
  };
}
