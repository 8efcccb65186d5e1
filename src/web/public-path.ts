import type { RequestHandler } from "express";

/** Addresses that begin at the root, in what `html` renders. Texts cannot contain the quotation mark. */
const ROOTED = /( (?:href|src|action)="|content="0; url=)(?=\/(?!\/))/g;

/**
 * Serves everything under the path of the public address, such as `/cell-a`, without the routes knowing it: the path is
 * removed from requests, and added to redirects and to the links of pages. Requests without the path are accepted too,
 * for probes and for proxies that remove it. Returns null if the address has no path.
 */
export function underPublicPath(publicUrl: string): RequestHandler | null {
  const path = new URL(publicUrl).pathname.replace(/\/+$/, "");
  if (path === "") return null;
  return (request, response, next) => {
    if (request.url.startsWith(`${path}/`) || request.url === path) {
      request.url = request.url.slice(path.length) || "/";
      request.originalUrl = request.url;
    }
    const [location, send] = [response.location.bind(response), response.send.bind(response)];
    response.location = (address) => location(address.startsWith("/") ? `${path}${address}` : address);
    response.send = (body) => {
      const isPage = typeof body === "string" && /^text\/html|^$/.test(response.get("Content-Type") ?? "");
      return send(isPage ? body.replace(ROOTED, `$1${path}`) : body);
    };
    next();
  };
}
