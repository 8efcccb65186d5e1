import { z } from "zod";
import type { ZodOpenApiResponseObject } from "zod-openapi";
import { type Endpoint, hasNoBody } from "../endpoint.ts";
import { problem } from "../schemas.ts";
import {
  ACCEPT_RANGES,
  CHALLENGE,
  CONTENT_RANGE,
  ETAG,
  type Headers,
  RATE_LIMIT,
  REQUEST_ID,
  RETRY_AFTER,
} from "./headers.ts";

type Answers = Readonly<Record<`${number}`, ZodOpenApiResponseObject>>;

/** Describes every status that an endpoint can answer with: its own and the common ones. */
export function describeAnswers(endpoint: Endpoint): Answers {
  const own = Object.entries(endpoint.problems).map(
    ([status, description]): [string, ZodOpenApiResponseObject] => [
      status,
      describeProblem(description, RATE_LIMIT),
    ],
  );
  return {
    ...describeSuccess(endpoint),
    ...EVERYWHERE,
    ...(!hasNoBody(endpoint) && OF_BODIES),
    ...(endpoint.answer.inRanges === true && OF_RANGES),
    ...Object.fromEntries(own),
  };
}

/** Describes a problem and its headers; `X-Request-Id` is always included. */
export function describeProblem(description: string, headers: Headers = {}): ZodOpenApiResponseObject {
  return {
    description,
    headers: z.object({ ...REQUEST_ID, ...headers }),
    content: { "application/problem+json": { schema: problem } },
  };
}

export const INTERNAL_ERROR: ZodOpenApiResponseObject = {
  id: "InternalError",
  ...describeProblem("An unexpected error. Support can find it by the request id."),
};
export const UNAVAILABLE: ZodOpenApiResponseObject = {
  id: "Unavailable",
  ...describeProblem("The service is temporarily unavailable. Try again after `Retry-After`.", RETRY_AFTER),
};

/** The problems of every endpoint. */
const EVERYWHERE: Answers = {
  400: { id: "Malformed", ...describeProblem("The request is malformed.", RATE_LIMIT) },
  401: {
    id: "Unauthorized",
    ...describeProblem("The token is missing, invalid or not issued by the cabinet.", CHALLENGE),
  },
  403: {
    id: "Forbidden",
    ...describeProblem(
      "The token lacks a scope, `tenant` or, for changes made in a person's name, `sub`, or one of these claims is invalid.",
    ),
  },
  429: {
    id: "TooManyRequests",
    ...describeProblem(
      "Too many requests with this token, or too many of its tenant that wait for changes. Try again after `Retry-After`.",
      {
        ...RATE_LIMIT,
        ...RETRY_AFTER,
      },
    ),
  },
  500: INTERNAL_ERROR,
  503: UNAVAILABLE,
};

const OF_BODIES: Answers = {
  413: { id: "TooLarge", ...describeProblem("The body is larger than 16 KiB.", RATE_LIMIT) },
  415: {
    id: "UnsupportedMediaType",
    ...describeProblem("The body is compressed, or not in UTF-8.", RATE_LIMIT),
  },
};

const OF_RANGES: Answers = {
  416: {
    id: "RangeNotSatisfiable",
    ...describeProblem("The range starts after the end of the document. `Content-Range` gives its length.", {
      ...RATE_LIMIT,
      ...CONTENT_RANGE,
    }),
  },
};

const NOT_MODIFIED: ZodOpenApiResponseObject = {
  id: "NotModified",
  description: "The answer has not changed.",
  headers: z.object({ ...REQUEST_ID, ...RATE_LIMIT, ...ETAG }),
};

function describeSuccess(endpoint: Endpoint): Answers {
  const { status, description, headers: own = {}, inRanges } = endpoint.answer;
  const content = describeContent(endpoint);
  const isRead = endpoint.method === "get";
  const headers: Headers = {
    ...REQUEST_ID,
    ...RATE_LIMIT,
    ...(isRead && ETAG),
    ...(inRanges === true && ACCEPT_RANGES),
    ...own,
  };
  const part = {
    description: "The requested range.",
    headers: z.object({ ...headers, ...CONTENT_RANGE }),
    ...content,
  };
  return {
    [status]: { description, headers: z.object(headers), ...content },
    ...(inRanges === true && { 206: part }),
    ...(isRead && { 304: NOT_MODIFIED }),
  };
}

function describeContent({ answer }: Endpoint): Pick<ZodOpenApiResponseObject, "content"> {
  if (answer.mediaType !== undefined) {
    return { content: { [answer.mediaType]: { schema: { type: "string", format: "binary" } } } };
  }
  if (answer.schema === null) return {};
  return { content: { "application/json": { schema: answer.schema, example: answer.example } } };
}
