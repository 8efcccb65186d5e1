import { randomUUID } from "node:crypto";
import { type ContractId, type LinkId, parseUuid } from "../domain/identifiers.ts";
import { required } from "./rows.ts";

/** A random id for a new row. */
export function newId<Id extends ContractId | LinkId>(): Id {
  return required(parseUuid<Id>(randomUUID()));
}
