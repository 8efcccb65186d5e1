import { z } from "zod";

export type Headers = Readonly<Record<string, z.ZodType>>;

/** A response header, described once under `id`. */
function answered(id: string, description: string): z.ZodType {
  return z.string().meta({ header: { id, description } });
}

/** A request header, described once under `id`. */
function read(id: string, description: string): z.ZodType {
  return z.string().optional().meta({ param: { id, description } });
}

export const REQUEST_ID: Headers = {
  "X-Request-Id": answered(
    "XRequestId",
    "Id of the request in the service's logs. An id sent with the request is kept if it is 8 to 100 characters of A-Z a-z 0-9 . _ -",
  ),
};

/** Sent with every answer to a valid token. */
export const RATE_LIMIT: Headers = {
  RateLimit: answered(
    "RateLimit",
    'Requests left for the token, and seconds until the limit resets: `"per-token";r=59999;t=60` (draft-ietf-httpapi-ratelimit-headers-08).',
  ),
  "RateLimit-Policy": answered(
    "RateLimitPolicy",
    'Requests allowed in a window of seconds: `"per-token";q=60000;w=60`. Each process counts for itself.',
  ),
};

export const ETAG: Headers = {
  ETag: answered("ETag", "Changes whenever the answer changes. For `If-None-Match`."),
};

export const ACCEPT_RANGES: Headers = {
  "Accept-Ranges": answered("AcceptRanges", "`bytes`: the document supports `Range`."),
};

export const CONTENT_RANGE: Headers = {
  "Content-Range": answered("ContentRange", "The bytes in the answer, and the length of the whole document."),
};

export const RETRY_AFTER: Headers = {
  "Retry-After": answered("RetryAfter", "Seconds to wait before the next attempt."),
};

export const CHALLENGE: Headers = {
  "WWW-Authenticate": answered(
    "WWWAuthenticate",
    '`Bearer`. With `error="invalid_token"` if a token was sent (RFC 6750).',
  ),
};

export const IF_NONE_MATCH: Headers = {
  "If-None-Match": read(
    "IfNoneMatch",
    "`ETag` of an earlier answer. If it has not changed, the answer is 304.",
  ),
};

export const RANGE: Headers = {
  Range: read(
    "Range",
    "One range of bytes, such as `bytes=0-1023`. The answer to several ranges is the whole document.",
  ),
  "If-Range": read(
    "IfRange",
    "`ETag` from the start of the download. If it no longer matches, the answer is the whole document.",
  ),
};
