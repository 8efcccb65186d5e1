import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../waiting.ts";

export type Ingress = AsyncDisposable & { readonly errors: () => Promise<string> };

/** Debian keeps nginx in a folder that only root's PATH names. */
const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin` };

/** Returns what the trials need and this machine lacks: nginx, and the programs that end and limit child processes. */
export function missingPrograms(): string[] {
  return ["nginx", "setpriv", "prlimit"].filter(
    (name) => spawnSync(name, ["-v"], { env }).error !== undefined,
  );
}

/**
 * nginx on loopback in front of the given ports, set as deploy/base/ingress.yaml sets the ingress controller: bodies
 * taken whole, connections to the backends kept, a POST that reached a backend never given to another.
 */
export async function startIngress(port: number, backends: readonly number[]): Promise<Ingress> {
  const folder = await mkdtemp(join(tmpdir(), "torikomi-nginx-"));
  const configuration = join(folder, "nginx.conf");
  await writeFile(configuration, configurationOf(folder, port, backends));
  const child = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", "nginx", "-p", folder, "-c", configuration, "-e", join(folder, "error.log")],
    { env, stdio: "ignore" },
  );
  const ended = once(child, "exit");
  await until(async () => await isListening(port, child), "nginx takes connections");
  return {
    errors: async () => await readFile(join(folder, "error.log"), "utf8"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configurationOf(folder: string, port: number, backends: readonly number[]): string {
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 33m;
  upstream torikomi {
    ${backends.map((backend) => `server 127.0.0.1:${backend} max_fails=0;`).join(" ")}
    keepalive 64;
    keepalive_timeout 60s;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://torikomi;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_connect_timeout 5s;
      proxy_send_timeout 60s;
      proxy_read_timeout 90s;
    }
  }
}
`;
}

async function isListening(port: number, child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`);
  const socket = connect(port, "127.0.0.1");
  const opened = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "error").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return opened;
}
