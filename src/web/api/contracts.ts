import { z } from "zod";
import type { ContractId } from "../../domain/identifiers.ts";
import { Refusal } from "../../domain/refusal.ts";
import {
  type Contract,
  findContract,
  listContracts,
  type StoredContract,
} from "../../store/contracts/contracts.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { type Endpoint, endpoint, endpointOfAllTenants, NO_BODY, NO_PARAMETERS } from "./endpoint.ts";
import { CONTRACT } from "./examples.ts";
import { cursorParameter, dateBound, groupId, idParameter, limit, momentPosition, toPage } from "./fields.ts";
import { contract, contractPage } from "./schemas.ts";

/** The path parameter of one contract. */
export const CONTRACT_ID = z.strictObject({ id: idParameter<ContractId>("Id of a contract.", CONTRACT.id) });

const LIST = z.strictObject({
  group: groupId.optional().meta({ ...groupId.meta(), param: { example: CONTRACT.groupId } }),
  concludedFrom: dateBound("2026-04-01"),
  concludedTo: dateBound("2026-04-30"),
  limit,
  cursor: cursorParameter(momentPosition),
});

const listing = endpoint(
  {
    id: "listContracts",
    method: "get",
    path: "/v1/contracts",
    tag: "Contracts",
    summary: "List contracts",
    description:
      "Newest import first. Contracts imported in the meantime do not shift the pages. Deleted contracts are not listed.",
    scopes: ["contracts:read"],
    serviceTokens: "name-tenant",
    params: NO_PARAMETERS,
    query: LIST,
    body: NO_BODY,
    answer: {
      status: 200,
      description: "A page of contracts.",
      schema: contractPage,
      example: { items: [CONTRACT], nextCursor: null },
    },
    problems: {},
  },
  async (deps, { caller, query }) => {
    const { limit: most, cursor, ...filter } = query;
    const after = cursor === null ? null : { importedAt: cursor.at, id: cursor.id };
    const rows = await listContracts(deps.db, caller.tenant, { ...filter, limit: most + 1, after });
    return toPage(rows, most, {
      item: toAnswer,
      position: (row) => [row.importedAt.toISOString(), row.id],
    });
  },
);

const reading = endpointOfAllTenants(
  {
    id: "getContract",
    method: "get",
    path: "/v1/contracts/{id}",
    tag: "Contracts",
    summary: "Get a contract",
    description: "Deleted contracts are not found; the change feed still lists them.",
    scopes: ["contracts:read"],
    params: CONTRACT_ID,
    query: NO_PARAMETERS,
    body: NO_BODY,
    answer: { status: 200, description: "The contract.", schema: contract, example: CONTRACT },
    problems: { 404: "The contract does not exist or was deleted." },
  },
  async (deps, { caller, params }) => toAnswer(await getContract(deps, caller.tenant, params.id)),
);

export const contractEndpoints: readonly Endpoint[] = [listing, reading];

/** Returns a contract of the tenant, or of any if null. Refuses with `not-found` if it does not exist or was deleted. */
export async function getContract(
  { db }: Uses<"db">,
  tenant: string | null,
  id: ContractId,
): Promise<StoredContract> {
  const found = await findContract(db, tenant, id);
  if (found === null || found.deletedAt !== null) throw new Refusal("not-found", "Contract not found.");
  return found;
}

/** Converts a stored contract to the API's fields. */
export function toAnswer(stored: Contract): z.output<typeof contract> {
  const {
    id,
    tenant,
    groupId: group,
    fileName,
    concludedOn,
    importedAt,
    pages,
    bytes,
    sha256,
    source,
  } = stored;
  return {
    id,
    tenant,
    groupId: group,
    fileName,
    concludedOn,
    uploadedBy: "DocuSign",
    importedAt,
    bytes,
    sha256,
    source,
    ...(pages !== null && { pages }),
  };
}
