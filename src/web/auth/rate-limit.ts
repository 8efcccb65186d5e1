import type { NextFunction, Request, RequestHandler, Response } from "express";
import { MINUTE, rateLimit } from "express-rate-limit";
import { RequestFault } from "../request-fault.ts";
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
    handler: refuse,
  });
}

/** So many requests a minute for each address that asks, or its network with IPv6; counted by each process for itself. */
export function limitVisitors(perMinute: number): RequestHandler {
  return rateLimit({
    windowMs: MINUTE,
    limit: perMinute,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    // Whether a proxy's word is taken is settled by TRUST_PROXY; that there is one is no mistake.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    handler: refuse,
  });
}

function refuse(_request: Request, _response: Response, next: NextFunction): void {
  next(new RequestFault(429, "too many requests"));
}
