import { z } from "zod";
import { Refusal } from "../../domain/refusal.ts";
import { type Caller, type TenantCaller, tenantName } from "../auth/tokens.ts";
import { parseQuery } from "./query.ts";

/** Decides for which tenant a request acts, and returns the rest of its query. */
export type Tenancy<Acting extends Caller> = (
  caller: Caller,
  query: Readonly<Record<string, unknown>>,
) => { readonly caller: Acting; readonly query: Readonly<Record<string, unknown>> };

/** The token's own tenant. Refuses service tokens with `forbidden`. */
export const ownTenant: Tenancy<TenantCaller> = ({ tenant, ...caller }, query) => {
  if (tenant === null) throw new Refusal("forbidden", "a service token cannot use this operation");
  return { caller: { ...caller, tenant }, query };
};

/** `tenant=` for service tokens, which are refused with `malformed` without it. For other tokens it is unknown. */
export const namedTenant: Tenancy<TenantCaller> = (caller, { tenant: named, ...query }) => {
  if (caller.tenant !== null) {
    return ownTenant(caller, named === undefined ? query : { ...query, tenant: named });
  }
  const { tenant } = parseQuery(NAMED, { tenant: named });
  return { caller: { ...caller, tenant }, query };
};

/** The token's own tenant, or null for all tenants. */
export const anyTenant: Tenancy<Caller> = (caller, query) => ({ caller, query });

/** All tenants. Refuses other tokens than service tokens with `forbidden`. */
export const everyTenant: Tenancy<Caller> = (caller, query) => {
  if (caller.tenant !== null) throw new Refusal("forbidden", "only service tokens can use this operation");
  return { caller, query };
};

const NAMED = z.strictObject({
  tenant: z.string("is required with a service token").pipe(tenantName),
});

/** The parameter as `/openapi.json` describes it. */
export const TENANT_PARAMETER: z.ZodType = z
  .string()
  .optional()
  .meta({
    param: {
      description:
        "The tenant to read. Required with a service token; other tokens read their own tenant, and the parameter is refused.",
    },
  });
