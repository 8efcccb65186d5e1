import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Router } from "express";

type Asset = {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
  readonly version: string;
};

const FOLDER = "/links/assets";
const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** Stylesheet, script and icon are part of the program, so they are read once, like its modules. */
const ASSETS = {
  style: readAsset("page.css", "text/css; charset=utf-8"),
  script: readAsset("page.js", "text/javascript; charset=utf-8"),
  icon: readAsset("icon.svg", "image/svg+xml"),
};

/** The address of an asset. Its version changes with the content. */
export function assetAddress(name: keyof typeof ASSETS): string {
  const { path, version } = ASSETS[name];
  return `${path}?v=${version}`;
}

/**
 * `GET /links/assets/…`: browsers cache the current version for a year. Other versions are not cached: during a
 * deployment, a process may receive requests for the version of another process.
 */
export function assetRoutes(): Router {
  const router = Router();
  for (const { path, type, body, version } of Object.values(ASSETS)) {
    router.get(path, (request, response) => {
      const caching =
        request.query["v"] === version ? `public, max-age=${YEAR_SECONDS}, immutable` : "no-cache";
      response.set({ "Cache-Control": caching, "Content-Type": type }).send(body);
    });
  }
  return router;
}

function readAsset(name: string, type: string): Asset {
  const body = readFileSync(new URL(`./assets/${name}`, import.meta.url));
  const version = createHash("sha256").update(body).digest("base64url").slice(0, 12);
  return { path: `${FOLDER}/${name}`, type, body, version };
}
