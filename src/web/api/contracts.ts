import { z } from "zod";
import type { AccountId, ContractId, EnvelopeId } from "../../domain/identifiers.ts";
import { Refusal } from "../../domain/refusal.ts";
import { type Contract, findContract, type StoredContract } from "../../store/contracts/contracts.ts";
import { type ContractPlace, listContracts } from "../../store/contracts/list-contracts.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { type Endpoint, endpoint, endpointOfAllTenants, NO_BODY, NO_PARAMETERS } from "./endpoint.ts";
import { CONTRACT } from "./examples.ts";
import {
  cursorParameter,
  dateBound,
  groupId,
  idFilter,
  idParameter,
  limit,
  moment,
  momentBound,
  momentPosition,
  toPage,
  uuid,
} from "./fields.ts";
import { contract, contractPage } from "./schemas.ts";

/** The path parameter of one contract. */
export const CONTRACT_ID = z.strictObject({ id: idParameter<ContractId>("Id of a contract.", CONTRACT.id) });

const MOST_CHARACTERS = 100;

/** The limits count Unicode code points, as JSON Schema does. */
const searched = z
  .string()
  .refine((text) => {
    const { length } = [...text];
    return length >= 1 && length <= MOST_CHARACTERS;
  }, `must be 1 to ${MOST_CHARACTERS} characters`)
  .optional()
  .meta({
    minLength: 1,
    maxLength: MOST_CHARACTERS,
    param: {
      description:
        "A part of the file name, the subject, or the name of the sender or a recipient. Compared literally, but full and half width, and capital and small letters, are equal. E-mail addresses are not searched. One character alone may take longer.",
      example: "契約",
    },
  });

/** `nextCursor` of version 0.1 is a moment and an id; now it is a moment, a position, an id and an earlier cursor's id. */
const place = z.union([
  momentPosition.transform(({ at, id }): ContractPlace => ({ importedAt: at, id })),
  z.tuple([moment, z.string().regex(/^\d{0,9}$/), uuid, z.union([uuid, z.literal("")])]).transform(
    ([importedAt, position, id, passed]): ContractPlace => ({
      importedAt,
      id,
      source: { position: position === "" ? null : Number(position) },
      passedFrom: passed === "" ? null : passed,
    }),
  ),
]);

const LIST = z.strictObject({
  group: groupId.optional().meta({ ...groupId.meta(), param: { example: CONTRACT.groupId } }),
  concludedFrom: dateBound("2026-04-01"),
  concludedTo: dateBound("2026-04-30"),
  importedFrom: momentBound("up", "2026-04-01T00:00:00Z"),
  importedTo: momentBound("down", "2026-04-30T23:59:59Z"),
  envelopeId: idFilter<EnvelopeId>("Id of an envelope.", CONTRACT.source.envelopeId),
  accountId: idFilter<AccountId>("Id of a DocuSign account.", CONTRACT.source.accountId),
  q: searched,
  limit,
  cursor: cursorParameter(place),
});

const listing = endpoint(
  {
    id: "listContracts",
    method: "get",
    path: "/v1/contracts",
    tag: "Contracts",
    summary: "List contracts",
    description:
      "Newest import first; contracts of one envelope by their position in it. Contracts imported in the meantime do not shift the pages. Deleted contracts are not listed.",
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
    const rows = await listContracts(deps.db, caller.tenant, { ...filter, limit: most + 1, after: cursor });
    return toPage(rows, most, { item: toAnswer, position: (row) => cursorParts(row, cursor) });
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

/** A page that continues within the moment of an old cursor has to leave out what that cursor has passed. */
function cursorParts({ importedAt, id, source }: StoredContract, before: ContractPlace | null): string[] {
  const passed = before?.source === undefined ? before?.id : before.passedFrom;
  const isSameMoment = before?.importedAt.getTime() === importedAt.getTime();
  return [
    importedAt.toISOString(),
    String(source.position ?? ""),
    id,
    isSameMoment && passed != null ? passed : "",
  ];
}

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
    certificate,
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
    certificate,
    source,
    ...(pages !== null && { pages }),
  };
}
