import { z } from "zod";
import * as field from "./fields.ts";
import { plainHttp, plainOrigins } from "./refusals.ts";
import { setting } from "./setting.ts";

export const CABINET = z.object({
  issuer: setting(field.orNull(field.address()), {
    name: "CABINET_ISSUER",
    refused: plainHttp,
    otherwise: "none: nobody can sign in",
    required: "in production",
    meaning: "the cabinet's OpenID Connect issuer, for API tokens and for sign-in to the page",
  }),
  audience: setting(z.string(), {
    name: "CABINET_AUDIENCE",
    default: "torikomi",
    meaning: "expected `aud` of API tokens",
  }),
  serviceTokenSubjects: setting(field.list().default([]), {
    name: "SERVICE_TOKEN_SUBJECTS",
    meaning: "comma-separated `sub` of the tokens that may read all tenants (`tenant` `*`)",
  }),
  clientId: setting(field.orNull(z.string()), {
    name: "CABINET_CLIENT_ID",
    // An ID token's audience is the client, so the page's ID tokens would open the API.
    refused: (id, valueOf) =>
      id === valueOf("CABINET_AUDIENCE") ? "must differ from CABINET_AUDIENCE in production" : null,
    otherwise: "none: no page",
    meaning: "the page's OpenID Connect client; its redirect URI is `PUBLIC_URL/sign-in/callback`",
  }),
  clientSecret: setting(field.orNull(z.string()), {
    name: "CABINET_CLIENT_SECRET",
    otherwise: "none: no page",
    meaning: "secret of the page's client",
  }),
  origins: setting(field.origins().default([]), {
    name: "CABINET_ORIGINS",
    refused: plainOrigins,
    meaning: "comma-separated origins of the cabinet to which a linking may return (`returnTo`)",
  }),
});

/** Names and links of the page. */
export const PAGE = z.object({
  productName: setting(field.label(), {
    name: "PRODUCT_NAME",
    default: "契約書キャビネ",
    meaning: "name of the cabinet in the page's header",
  }),
  supportUrl: setting(field.orNull(field.address()), {
    name: "SUPPORT_URL",
    meaning: "address of the page's links to サポート窓口",
  }),
  contractUrl: setting(field.orNull(field.contractAddress()), {
    name: "CONTRACT_URL",
    meaning:
      "address of a contract in the cabinet, such as `https://cabinet.example/contracts/{id}`; makes contracts on the page links",
  }),
});
