import { z } from "zod";

export type Headers = Readonly<Record<string, z.ZodType>>;

/** A header of answers, described once under `id`. */
function answered(id: string, description: string): z.ZodType {
  return z.string().meta({ header: { id, description } });
}

/** A header of requests, described once under `id`. */
function read(id: string, description: string): z.ZodType {
  return z.string().optional().meta({ param: { id, description } });
}

export const REQUEST_ID: Headers = {
  "X-Request-Id": answered(
    "XRequestId",
    "Id of the request, as in our logs. An id that the request carries is kept: 8 to 100 characters of A-Z a-z 0-9 . _ -",
  ),
};

/** Answers to a token that was accepted. */
export const RATE_LIMIT: Headers = {
  RateLimit: answered(
    "RateLimit",
    'Requests left to the token, and seconds until they are renewed: `"per-token";r=59999;t=60` (draft-ietf-httpapi-ratelimit-headers-08).',
  ),
  "RateLimit-Policy": answered(
    "RateLimitPolicy",
    'Requests granted in a window of seconds: `"per-token";q=60000;w=60`. Each process counts for itself.',
  ),
};

export const ETAG: Headers = {
  ETag: answered("ETag", "Stays the same while the answer does. For `If-None-Match`."),
};

export const ACCEPT_RANGES: Headers = {
  "Accept-Ranges": answered("AcceptRanges", "`bytes`: `Range` asks for a part."),
};

export const CONTENT_RANGE: Headers = {
  "Content-Range": answered("ContentRange", "Which bytes the answer holds, and the length of the whole."),
};

export const RETRY_AFTER: Headers = {
  "Retry-After": answered("RetryAfter", "Seconds to wait before the next attempt."),
};

export const CHALLENGE: Headers = {
  "WWW-Authenticate": answered(
    "WWWAuthenticate",
    '`Bearer`. With `error="invalid_token"` if a token came (RFC 6750).',
  ),
};

export const IF_NONE_MATCH: Headers = {
  "If-None-Match": read(
    "IfNoneMatch",
    "`ETag` of the answer that the reader has. 304 if it is still the same.",
  ),
};

export const RANGE: Headers = {
  Range: read(
    "Range",
    "One range of bytes, such as `bytes=0-1023`. Several ranges are answered with the whole document.",
  ),
  "If-Range": read(
    "IfRange",
    "`ETag` of the document that the reader began with. If it is another one now, the answer is the whole document.",
  ),
};
