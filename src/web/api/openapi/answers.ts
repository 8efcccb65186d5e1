import { STATUS_CODES } from "node:http";
import { z } from "zod";
import type { ZodOpenApiResponseObject } from "zod-openapi";
import { type Endpoint, hasNoBody } from "../endpoint.ts";
import { problem } from "../schemas.ts";

type Answers = Readonly<Record<`${number}`, ZodOpenApiResponseObject>>;
type Headers = Readonly<Record<string, z.ZodType>>;

/** Every status that an endpoint may answer with, from its definition and from what all of its kind do. */
export function describeAnswers(endpoint: Endpoint): Answers {
  const own = Object.entries(endpoint.problems).map(
    ([status, description]): [string, ZodOpenApiResponseObject] => [status, describeProblem(description)],
  );
  return {
    ...describeSuccess(endpoint),
    ...EVERYWHERE,
    ...(!hasNoBody(endpoint) && OF_BODIES),
    ...(endpoint.answer.inRanges === true && OF_RANGES),
    ...Object.fromEntries(own),
  };
}

/** A header that several answers have: described once, under `id`. */
function sharedHeader(id: string, description: string): z.ZodType {
  return z.string().meta({ header: { id, description } });
}

const ETAG = { ETag: sharedHeader("ETag", "For `If-None-Match`: the same as long as the answer is.") };
const ACCEPT_RANGES = {
  "Accept-Ranges": sharedHeader("AcceptRanges", "`bytes`: `Range` asks for a part."),
};
const CONTENT_RANGE = {
  "Content-Range": sharedHeader("ContentRange", "Which bytes these are, and how many there are in all."),
};
const RETRY_AFTER = { "Retry-After": sharedHeader("RetryAfter", "Seconds.") };

/** What every endpoint may answer. */
const EVERYWHERE: Answers = {
  400: { id: "Malformed", ...describeProblem("The request is malformed.") },
  401: {
    id: "Unauthorized",
    ...describeProblem("The token is missing, or none of the cabinet's.", {
      "WWW-Authenticate": sharedHeader(
        "WWWAuthenticate",
        '`Bearer`; with `error="invalid_token"` if a token came (RFC 6750).',
      ),
    }),
  },
  403: {
    id: "Forbidden",
    ...describeProblem(
      "The token lacks the scope, the tenant or, to write in somebody's name, `sub`, or has in them what cannot be used.",
    ),
  },
  429: {
    id: "TooManyRequests",
    ...describeProblem("Too many requests with this token; `Retry-After` tells when to go on.", RETRY_AFTER),
  },
  500: { id: "InternalError", ...describeProblem(STATUS_CODES[500] ?? "") },
  503: {
    id: "Unavailable",
    ...describeProblem("Temporarily unavailable; `Retry-After` tells when to try again.", RETRY_AFTER),
  },
};

const OF_BODIES: Answers = {
  413: { id: "TooLarge", ...describeProblem("The body is over 16 KiB.") },
  415: { id: "UnsupportedMediaType", ...describeProblem("The body is compressed, or not in UTF-8.") },
};

const OF_RANGES: Answers = {
  416: {
    id: "RangeNotSatisfiable",
    ...describeProblem("There is no such range; `Content-Range` tells the length.", {
      "Content-Range": z.string().meta({ header: { description: "How many bytes there are in all." } }),
    }),
  },
};

const NOT_MODIFIED: ZodOpenApiResponseObject = {
  id: "NotModified",
  description: "The reader has it already.",
  headers: z.object(ETAG),
};

function describeProblem(description: string, headers: Headers = {}): ZodOpenApiResponseObject {
  return {
    description,
    ...describeHeaders(headers),
    content: { "application/problem+json": { schema: problem } },
  };
}

function describeSuccess(endpoint: Endpoint): Answers {
  const { status, description, headers: own = {}, inRanges } = endpoint.answer;
  const content = describeContent(endpoint);
  const isRead = endpoint.method === "get";
  const headers: Headers = {
    ...(isRead && ETAG),
    ...(inRanges === true && ACCEPT_RANGES),
    ...own,
  };
  const part = {
    description: "The part that `Range` asks for.",
    ...describeHeaders({ ...headers, ...CONTENT_RANGE }),
    ...content,
  };
  return {
    [status]: { description, ...describeHeaders(headers), ...content },
    ...(inRanges === true && { 206: part }),
    ...(isRead && { 304: NOT_MODIFIED }),
  };
}

function describeHeaders(headers: Headers): Pick<ZodOpenApiResponseObject, "headers"> {
  return Object.keys(headers).length === 0 ? {} : { headers: z.object(headers) };
}

function describeContent({ answer }: Endpoint): Pick<ZodOpenApiResponseObject, "content"> {
  if (answer.mediaType !== undefined) {
    return { content: { [answer.mediaType]: { schema: { type: "string", format: "binary" } } } };
  }
  if (answer.schema === null) return {};
  return { content: { "application/json": { schema: answer.schema, example: answer.example } } };
}
