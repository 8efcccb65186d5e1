import { deleteContract } from "../../usecases/deletions/delete-contract.ts";
import { personOf } from "../auth/tokens.ts";
import { CONTRACT_ID } from "./contracts.ts";
import { type Endpoint, endpoint, NO_BODY, NO_PARAMETERS } from "./endpoint.ts";

export const deletionEndpoint: Endpoint = endpoint(
  {
    id: "deleteContract",
    method: "delete",
    path: "/v1/contracts/{id}",
    tag: "Contracts",
    summary: "Delete a contract",
    description:
      "Erases the document permanently. The import stays recorded, so the contract is never imported again. Deleting a contract again changes nothing.",
    scopes: ["contracts:write"],
    params: CONTRACT_ID,
    query: NO_PARAMETERS,
    body: NO_BODY,
    answer: { status: 204, description: "The contract is deleted.", schema: null },
    problems: { 404: "The contract does not exist." },
  },
  async (deps, { caller, params }) => {
    await deleteContract(deps, personOf(caller), params.id);
  },
);
