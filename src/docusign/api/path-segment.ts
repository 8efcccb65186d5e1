import { DocuSignFault } from "../faults/faults.ts";

/**
 * Encodes an id from DocuSign as one segment of a path. Throws the fault `never` for an id that a client, a proxy or
 * DocuSign could resolve to a different path: `.`, `..`, and either of them beside a slash.
 */
export function pathSegment(id: string): string {
  if (id.split(/[/\\]/).some((part) => part === "" || part === "." || part === ".."))
    throw new DocuSignFault("never", "id-not-a-path-segment");
  return encodeURIComponent(id);
}
