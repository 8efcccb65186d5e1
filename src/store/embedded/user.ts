import { readFile, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import type { ServerUser } from "./process.ts";

/**
 * Returns the user that runs PostgreSQL, which refuses to run as root; undefined if this process is not root. An existing
 * cluster keeps its owner. A new one belongs to the first common service user of the machine.
 */
export async function chooseServerUser(data: string): Promise<ServerUser | undefined> {
  if (readOwnUid() !== 0) return undefined;
  const owner = await stat(data).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of ["postgres", "_postgres", "nobody"]) {
    const found = users.find((user) => user[0] === name);
    if (found !== undefined) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  throw new Error(
    "PostgreSQL does not run as root, and there is no user postgres or nobody: set DATABASE_URL",
  );
}

function readOwnUid(): number {
  try {
    return userInfo().uid;
  } catch (cause) {
    throw new Error("the embedded PostgreSQL needs a user that the machine knows by name: set DATABASE_URL", {
      cause,
    });
  }
}
