import type { RequestHandler } from "express";
import { MINUTE, rateLimit } from "express-rate-limit";
import { RequestFault } from "./request-fault.ts";
import { callerOf } from "./tokens.ts";

/**
 * So many requests a minute for each subject of each tenant, behind `authenticate`; counted by each process for
 * itself. What is left is told in `RateLimit` and `RateLimit-Policy`, beyond it the answer is 429 with `Retry-After`.
 */
export function limitRequests(perMinute: number): RequestHandler {
  return rateLimit({
    windowMs: MINUTE,
    limit: perMinute,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    identifier: "per-token",
    keyGenerator: (_request, response) => {
      const { tenant, subject } = callerOf(response);
      return JSON.stringify([tenant, subject]);
    },
    handler: (_request, _response, next) => {
      next(new RequestFault(429, "too many requests"));
    },
  });
}
