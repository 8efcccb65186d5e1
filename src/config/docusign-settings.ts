import { z } from "zod";
import * as field from "./fields.ts";
import { plainHttp } from "./refusals.ts";
import { setting } from "./setting.ts";

export const DOCUSIGN = z.object({
  oauthUrl: setting(field.baseAddress(), {
    name: "DOCUSIGN_OAUTH_URL",
    refused: plainHttp,
    default: "https://account.docusign.com",
    meaning: "DocuSign's account server; `https://account-d.docusign.com` for the developer environment",
  }),
  apiHosts: setting(field.hosts(), {
    name: "DOCUSIGN_API_HOSTS",
    default: "docusign.net,docusign.com",
    meaning: "domains that an account's API address must belong to in production",
  }),
  clientId: setting(z.string().default(""), {
    name: "DOCUSIGN_CLIENT_ID",
    required: "always",
    meaning: "integration key; its redirect URI is `PUBLIC_URL/links/docusign/callback`",
  }),
  clientSecret: setting(z.string().default(""), {
    name: "DOCUSIGN_CLIENT_SECRET",
    required: "always",
    meaning: "secret of the integration key",
  }),
});
