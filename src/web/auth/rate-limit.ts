import type { NextFunction, Request, RequestHandler, Response } from "express";
import { MINUTE, rateLimit } from "express-rate-limit";
import { describeFault } from "../../domain/fault-text.ts";
import type { Log } from "../../usecases/capabilities.ts";
import { RequestFault } from "../request-fault.ts";
import { callerOf } from "./tokens.ts";

/**
 * Limits requests per minute for each subject of each tenant. Each process counts for itself. Needs `authenticate`
 * before it. `RateLimit` and `RateLimit-Policy` report what is left; beyond the limit, the answer is 429 with
 * `Retry-After`.
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

/**
 * Limits requests per minute and client address, or per network with IPv6. Each process counts for itself. Warns once
 * if a proxy forwards requests but `TRUST_PROXY` counts none: then all visitors share the proxy's address.
 */
export function limitVisitors(perMinute: number, log: Pick<Log, "warn">): RequestHandler {
  const warn = (error: unknown): void =>
    log.warn(
      { detail: describeFault(error) },
      "the rate limit may not see client addresses: check TRUST_PROXY",
    );
  return rateLimit({
    windowMs: MINUTE,
    limit: perMinute,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    // Not `ip`: its warning quotes the address, which any client can forge.
    validate: { ip: false },
    logger: { warn, error: warn },
    handler: refuse,
  });
}

function refuse(_request: Request, _response: Response, next: NextFunction): void {
  next(new RequestFault(429, "too many requests"));
}
