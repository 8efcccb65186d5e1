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

export const envelopeEndpoint: Endpoint = endpoint(
  {
    id: "explainEnvelope",
    method: "get",
    path: "/v1/envelopes/{envelopeId}",
    summary: "Why an envelope was or was not imported, and what it waits for",
    description:
      "Of an envelope that nothing is recorded of, DocuSign is asked what would become of it; `linkId` is null then, and nothing is imported by asking.",
    scopes: ["links:read"],
    params: ENVELOPE_ID,
    query: NO_PARAMETERS,
    body: NO_BODY,
    answer: { status: 200, description: "The explanation.", schema: explanation, example: EXPLANATION },
    problems: { 404: "Neither side knows the envelope." },
  },
  async (deps, { caller, params, request, response }) => {
    const language = request.acceptsLanguages("ja", "en") === "en" ? "en" : "ja";
    const found = await explainEnvelope(deps, caller.tenant, params.envelopeId, language);
    if (found === null) throw new Refusal("not-found", "Neither side knows the envelope.");
    response.set({ "Content-Language": language }).vary("Accept-Language");
    const contracts = found.contracts.map((one) => ({ ...toAnswer(one), deletedAt: one.deletedAt }));
    return { ...found, contracts, events: [...found.events], facts: { ...found.facts } };
  },
);
