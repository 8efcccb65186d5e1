import { z } from "zod";
import type { EnvelopeId } from "../../domain/identifiers.ts";
import { Refusal } from "../../domain/refusal.ts";
import { explainEnvelope } from "../../usecases/explaining/explain-envelope.ts";
import { toAnswer } from "./contracts.ts";
import { type Endpoint, endpoint, NO_BODY, NO_PARAMETERS } from "./endpoint.ts";
import { EXPLANATION } from "./examples.ts";
import { idParameter } from "./fields.ts";
import { explanation } from "./schemas.ts";

const ENVELOPE_ID = z.strictObject({
  envelopeId: idParameter<EnvelopeId>("DocuSign's id of an envelope.", EXPLANATION.envelopeId),
});

const LANGUAGE = z
  .string()
  .optional()
  .meta({
    param: {
      description: "Language of `text`: English if it is preferred to Japanese, otherwise Japanese.",
      example: "en",
    },
  });
const CONTENT_LANGUAGE = z
  .string()
  .meta({ header: { description: "`ja` or `en`: the language of `text`." } });

export const envelopeEndpoint: Endpoint = endpoint(
  {
    id: "explainEnvelope",
    method: "get",
    path: "/v1/envelopes/{envelopeId}",
    tag: "History",
    summary: "Explain an envelope",
    description:
      "Explains why an envelope was or was not imported, and what it waits for. If the service has no record of the envelope, it queries DocuSign and predicts the outcome; `linkId` is then null. At most 60 such calls are made in a clock hour; beyond them `outcome` is `unknown` and `waitingFor` gives the time. The request never imports anything.",
    scopes: ["links:read"],
    serviceTokens: "name-tenant",
    params: ENVELOPE_ID,
    query: NO_PARAMETERS,
    reads: { "Accept-Language": LANGUAGE },
    body: NO_BODY,
    answer: {
      status: 200,
      description: "The explanation.",
      schema: explanation,
      example: EXPLANATION,
      headers: { "Content-Language": CONTENT_LANGUAGE },
    },
    problems: { 404: "The envelope was not found here or in DocuSign." },
  },
  async (deps, { caller, params, request, response }) => {
    const language = request.acceptsLanguages("ja", "en") === "en" ? "en" : "ja";
    const question = { tenant: caller.tenant, envelopeId: params.envelopeId, asker: "reader" } as const;
    const found = await explainEnvelope(deps, question, language);
    if (found === null) throw new Refusal("not-found", "Envelope not found here or in DocuSign.");
    response.set({ "Content-Language": language }).vary("Accept-Language");
    const contracts = found.contracts.map((one) => ({ ...toAnswer(one), deletedAt: one.deletedAt }));
    return { ...found, contracts, events: [...found.events], facts: { ...found.facts } };
  },
);
