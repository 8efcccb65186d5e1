import { STATUS_CODES } from "node:http";
import { type Endpoint, hasNoBody } from "../endpoint.ts";
import { problem } from "../schemas.ts";
import { type Json, reference } from "./schemas.ts";

/** Every status that an endpoint may answer with, from its definition and from what all of its kind do. */
export function describeAnswers(endpoint: Endpoint): Json {
  const problems = {
    ...EVERYWHERE,
    ...(!hasNoBody(endpoint) && OF_BODIES),
    ...(endpoint.answer.inRanges === true && OF_RANGES),
    ...endpoint.problems,
  };
  const described = Object.entries(problems).map(([status, description]): [string, Json] => [
    status,
    describeProblem(status, description),
  ]);
  return Object.fromEntries(new Map([...describeSuccess(endpoint), ...described]));
}

/** What every endpoint may answer. */
const EVERYWHERE: Readonly<Record<number, string>> = {
  400: "The request is malformed.",
  401: "The token is missing, or none of the cabinet's.",
  403: "The token lacks the scope, the tenant or, to write in somebody's name, `sub`, or has in them what cannot be used.",
  429: "Too many requests with this token; `Retry-After` tells when to go on.",
  500: STATUS_CODES[500] ?? "",
  503: "Temporarily unavailable; `Retry-After` tells when to try again.",
};

const OF_BODIES: Readonly<Record<number, string>> = {
  413: "The body is over 16 KiB.",
  415: "The body is compressed, or not in UTF-8.",
};

const OF_RANGES: Readonly<Record<number, string>> = {
  416: "There is no such range; `Content-Range` tells the length.",
};

const ETAG = { ETag: "For `If-None-Match`: the same as long as the answer is." };
const CONTENT_RANGE = { "Content-Range": "Which bytes these are, and how many there are in all." };
const RETRY_AFTER = { "Retry-After": "Seconds." };

/** Headers of problems that say how to go on. */
const OF_PROBLEMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  401: { "WWW-Authenticate": "`Bearer`." },
  416: { "Content-Range": "How many bytes there are in all." },
  429: RETRY_AFTER,
  503: RETRY_AFTER,
};

function describeSuccess(endpoint: Endpoint): [string, Json][] {
  const { status, description, headers: own, inRanges } = endpoint.answer;
  const content = describeContent(endpoint);
  const isRead = endpoint.method === "get";
  const headers = {
    ...(isRead && ETAG),
    ...(inRanges === true && { "Accept-Ranges": "`bytes`: `Range` asks for a part." }),
    ...own,
  };
  const answers: [string, Json][] = [
    [String(status), { description, ...describeHeaders(headers), ...content }],
  ];
  const part = {
    description: "The part that `Range` asks for.",
    ...describeHeaders({ ...headers, ...CONTENT_RANGE }),
  };
  if (inRanges === true) answers.push(["206", { ...part, ...content }]);
  if (isRead) answers.push(["304", { description: "The reader has it already.", ...describeHeaders(ETAG) }]);
  return answers;
}

function describeProblem(status: string, description: string): Json {
  const content = { "application/problem+json": { schema: reference(problem) } };
  return { description, ...describeHeaders(OF_PROBLEMS[status] ?? {}), content };
}

function describeHeaders(headers: Readonly<Record<string, string>>): Json {
  const described = Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: { type: "string" } },
  ]);
  return described.length === 0 ? {} : { headers: Object.fromEntries(described) };
}

function describeContent({ answer }: Endpoint): Json {
  if (answer.mediaType !== undefined) {
    return { content: { [answer.mediaType]: { schema: { type: "string", format: "binary" } } } };
  }
  if (answer.schema === null) return {};
  return { content: { "application/json": { schema: reference(answer.schema), example: answer.example } } };
}
