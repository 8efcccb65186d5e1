import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { type Config, parseConfig } from "../../src/config.ts";
import { LONGEST_RETURN } from "../../src/web/auth/session.ts";
import { type Manifest, readManifests, renderEdited, renderManifests } from "./manifests.ts";
import { type Container, type PodSpec, readDeployment, readIngress, readNetworkPolicy } from "./readers.ts";
import { listFaults } from "./schemas.ts";

const BASE = await renderManifests("base");
const EXAMPLE = await renderManifests("overlays/example");
const ROLES = ["serve", "work"] as const;
const SECRETS = {
  serve: [
    "DATABASE_URL",
    "DOCUSIGN_CLIENT_SECRET",
    "CONNECT_HMAC_KEYS",
    "ENCRYPTION_KEYS",
    "CABINET_CLIENT_SECRET",
  ],
  work: ["DATABASE_URL", "DOCUSIGN_CLIENT_SECRET", "ENCRYPTION_KEYS"],
};
const VALUES: Readonly<Record<string, string>> = {
  DATABASE_URL: "postgres://somebody@database.example/torikomi",
  DOCUSIGN_CLIENT_SECRET: "secret",
  CONNECT_HMAC_KEYS: randomBytes(32).toString("base64"),
  ENCRYPTION_KEYS: `first:${randomBytes(32).toString("base64")}`,
  CABINET_CLIENT_SECRET: "secret",
};
const MEBIBYTE = 1024 * 1024;

test("every manifest matches Kubernetes' schemas and has no unknown field", () => {
  for (const manifest of [...BASE, ...EXAMPLE])
    assert.deepEqual(listFaults(manifest), [], `${manifest.kind} ${manifest.metadata.name}`);
  assert.ok(EXAMPLE.length > BASE.length);
});

test("a misspelt field, a wrong type and an unknown kind are detected", () => {
  const [misspelt, mistyped, unheard] = readManifests(`
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: a }
spec: { maxUnavailible: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: a }
spec: { ports: [{ port: "80" }] }
---
apiVersion: v2
kind: Pond
metadata: { name: a }`).map(listFaults);

  assert.deepEqual(misspelt, ["unknown field /spec/maxUnavailible"]);
  assert.match(String(mistyped), /port/);
  assert.deepEqual(unheard, ["no schema for v2 Pond"]);
});

for (const role of ROLES) {
  test(`${role}: containers have least privilege`, () => {
    const pod = podOf(role);

    assert.equal(pod.automountServiceAccountToken, false);
    assert.equal(pod.enableServiceLinks, false);
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.equal(pod.securityContext.seccompProfile.type, "RuntimeDefault");
    assert.equal(pod.securityContext.runAsUser, 10001);
    for (const { name, securityContext } of containersOf(pod)) {
      assert.deepEqual(
        securityContext,
        { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
        name,
      );
    }
  });

  test(`${role}: every container has resource requests and a memory limit`, () => {
    for (const { name, resources } of containersOf(podOf(role))) {
      assert.ok(resources.requests.cpu !== undefined && resources.requests.memory !== undefined, name);
      assert.ok(bytes(resources.limits.memory) > bytes(resources.requests.memory), name);
    }
  });

  test(`${role}: writable directories are volumes with a size limit`, () => {
    const pod = podOf(role);
    const written = ["/data", "/tmp"];

    for (const { name, volumeMounts } of containersOf(pod)) {
      for (const path of written) {
        const mount = volumeMounts.find(({ mountPath }) => mountPath === path);
        const volume = pod.volumes.find((one) => one.name === mount?.name);
        assert.ok(volume?.emptyDir?.sizeLimit !== undefined, `${name} ${path}`);
      }
      for (const { mountPath, readOnly } of volumeMounts)
        assert.equal(readOnly ?? false, !written.includes(mountPath), mountPath);
    }
  });

  test(`${role}: secrets are files readable by the program's group only`, () => {
    const pod = podOf(role);
    const [container] = pod.containers;
    assert.ok(container !== undefined);

    const files = container.env.filter(({ name }) => name.endsWith("_FILE"));

    assert.deepEqual(
      files.map(({ name }) => name).sort(),
      SECRETS[role].map((name) => `${name}_FILE`).sort(),
    );
    for (const { value } of files) assert.match(value, /^\/run\/secrets\/torikomi\/[a-z-]+$/);
    for (const { name, secret, projected } of pod.volumes)
      for (const volume of [secret, projected]) if (volume) assert.equal(volume.defaultMode, 0o440, name);
    assert.equal(pod.securityContext.fsGroup, pod.securityContext.runAsGroup);
    for (const { env, envFrom } of containersOf(pod)) {
      assert.deepEqual(
        env.filter((one) => !one.name.endsWith("_FILE")),
        [],
      );
      for (const source of envFrom) assert.deepEqual(Object.keys(source), ["configMapRef"]);
    }
  });

  test(`${role}: the container mounts the secrets that it uses and no other, and the program starts with them`, async () => {
    const pod = podOf(role);
    const [container] = pod.containers;
    assert.ok(container !== undefined);

    const volume = pod.volumes.find(({ name }) => name === mountOfSecrets(container));

    const sources = volume?.projected?.sources.map(({ secret }) => secret) ?? [];
    const files = sources.map(({ items }) => items.map(({ path }) => `/run/secrets/torikomi/${path}`));
    assert.deepEqual(files, [
      container.env.map(({ value }) => value),
      [(await readConfigMap(EXAMPLE))["AWS_SHARED_CREDENTIALS_FILE"]],
    ]);
    assert.deepEqual(
      sources.map(({ optional }) => optional),
      [undefined, true],
    );
    const given = SECRETS[role].map((name) => [name, VALUES[name]]);
    const environment = { ...(await readConfigMap(EXAMPLE)), ...Object.fromEntries(given) };
    assert.equal(parseConfig(environment, role === "work" ? "work" : "everything").production, true);
  });

  test(`${role}: migrations run first, and have only the address of the database's owner, which nothing else has`, () => {
    const pod = podOf(role);
    const [migrate, ...further] = pod.initContainers;
    assert.ok(migrate !== undefined);

    const volume = pod.volumes.find(({ name }) => name === mountOfSecrets(migrate));

    assert.deepEqual(further, []);
    assert.deepEqual(migrate.args, ["migrate"]);
    assert.deepEqual(
      migrate.env.map(({ name }) => name),
      ["DATABASE_URL_FILE"],
    );
    assert.equal(volume?.secret?.secretName, "torikomi-owner");
    assert.deepEqual(
      volume.secret.items?.map(({ path }) => path),
      ["database-url"],
    );
    const others = pod.containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name));
    assert.ok(!others.includes(volume.name));
    assert.equal(migrate.image, pod.containers[0]?.image);
  });

  test(`${role}: the probes use different endpoints`, () => {
    const [container] = podOf(role).containers;
    assert.ok(container?.startupProbe !== undefined && container.livenessProbe && container.readinessProbe);
    const { startupProbe, livenessProbe, readinessProbe } = container;

    assert.equal(readinessProbe.httpGet.path, "/readyz");
    // Restarting because the database is down would only prolong an outage.
    assert.equal(livenessProbe.httpGet.path, "/healthz");
    assert.equal(startupProbe.httpGet.path, "/healthz");
    assert.ok(patience(startupProbe) >= 60, "a start may take a minute");
    assert.ok(
      patience(livenessProbe) > patience(readinessProbe),
      "it leaves the Service before it is restarted",
    );
  });

  test(`${role}: the grace period covers SHUTDOWN_TIMEOUT`, async () => {
    const pod = podOf(role);
    const { shutdownTimeoutMs } = configOf(await readConfigMap(EXAMPLE));

    const preStop = Number(pod.containers[0]?.lifecycle?.preStop.exec.command[1] ?? 0);

    assert.equal(shutdownTimeoutMs, 25_000);
    assert.equal(preStop, role === "serve" ? 10 : 0);
    assert.ok(pod.terminationGracePeriodSeconds >= preStop + shutdownTimeoutMs / 1000 + 5);
  });

  test(`${role}: pods spread over nodes and zones, drain one by one, and are replaced before they end`, () => {
    const deployment = readDeployment(find(BASE, "Deployment", `torikomi-${role}`));
    const budget = find(BASE, "PodDisruptionBudget", `torikomi-${role}`);
    const labels = deployment.spec.template.metadata.labels;

    assert.deepEqual(
      podOf(role).topologySpreadConstraints.map(({ topologyKey }) => topologyKey),
      ["kubernetes.io/hostname", "topology.kubernetes.io/zone"],
    );
    for (const { labelSelector } of podOf(role).topologySpreadConstraints)
      assert.deepEqual(labelSelector.matchLabels, labels);
    assert.deepEqual(deployment.spec.selector.matchLabels, labels);
    assert.deepEqual(budget["spec"], {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: { matchLabels: labels },
    });
    assert.deepEqual(deployment.spec.strategy.rollingUpdate, { maxSurge: 1, maxUnavailable: 0 });
  });
}

test("serve scales with its load, work has two replicas", () => {
  const scaler = find(BASE, "HorizontalPodAutoscaler", "torikomi-serve");

  assert.equal(readDeployment(find(BASE, "Deployment", "torikomi-serve")).spec.replicas, undefined);
  assert.equal(readDeployment(find(BASE, "Deployment", "torikomi-work")).spec.replicas, 2);
  assert.partialDeepStrictEqual(scaler["spec"], {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "torikomi-serve" },
    minReplicas: 2,
  });
});

test("operations addresses have a port of their own, which probes and monitoring ask and no Service names", async () => {
  const { port, operationsPort } = configOf(await readConfigMap(EXAMPLE));
  const operations = { name: "operations", containerPort: operationsPort };

  assert.deepEqual(podOf("serve").containers[0]?.ports, [{ name: "http", containerPort: port }, operations]);
  assert.deepEqual(podOf("work").containers[0]?.ports, [operations]);
  assert.partialDeepStrictEqual(find(EXAMPLE, "PodMonitor", "torikomi")["spec"], {
    podMetricsEndpoints: [{ port: "operations", path: "/metrics" }],
  });
  assert.partialDeepStrictEqual(find(BASE, "Service", "torikomi")["spec"], {
    ports: [{ targetPort: "http" }],
  });
});

test("the service account has no token", () => {
  assert.equal(find(BASE, "ServiceAccount", "torikomi")["automountServiceAccountToken"], false);
});

test("the ingress lets Connect exceed the receiver's 32 MiB and answers within its timeout; other routes take small bodies only", () => {
  const connect = readIngress(find(BASE, "Ingress", "torikomi-connect"));
  const others = readIngress(find(BASE, "Ingress", "torikomi"));

  for (const name of ["nginx.ingress.kubernetes.io/proxy-body-size", "nginx.org/client-max-body-size"]) {
    assert.equal(bytes(connect.metadata.annotations[name]), 33 * MEBIBYTE, name);
    assert.equal(bytes(others.metadata.annotations[name]), MEBIBYTE, name);
  }
  for (const name of ["nginx.ingress.kubernetes.io/proxy-read-timeout", "nginx.org/proxy-read-timeout"]) {
    // Connect waits 100 s; the feed holds a request for 30 s.
    assert.ok(seconds(connect.metadata.annotations[name]) < 100, name);
    assert.ok(seconds(others.metadata.annotations[name]) > 30, name);
  }
  assert.equal(connect.metadata.annotations["nginx.ingress.kubernetes.io/proxy-request-buffering"], "on");
});

test("an ingress passes on redirects as long as the requests that it takes", () => {
  const { annotations } = readIngress(find(BASE, "Ingress", "torikomi")).metadata;

  for (const name of ["nginx.ingress.kubernetes.io/proxy-buffer-size", "nginx.org/proxy-buffer-size"])
    assert.ok(bytes(annotations[name]) >= 2 * LONGEST_RETURN, name);
});

test("public routes are reachable over TLS, operations endpoints are not", () => {
  const ingresses = EXAMPLE.filter(({ kind }) => kind === "Ingress").map(readIngress);

  const paths = ingresses.flatMap(({ spec }) =>
    spec.rules.flatMap(({ http }) => http.paths.map(({ path }) => path)),
  );

  assert.deepEqual(paths.sort(), ["/connect", "/links", "/openapi.json", "/sign-in", "/sign-out", "/v1"]);
  for (const { metadata, spec } of ingresses) {
    assert.deepEqual(
      spec.tls.flatMap(({ hosts }) => hosts),
      spec.rules.map(({ host }) => host),
      metadata.name,
    );
    assert.equal(metadata.annotations["nginx.ingress.kubernetes.io/force-ssl-redirect"], "true");
  }
});

test("the network policy admits only ingress and monitoring, and inside the cluster allows only DNS", () => {
  const policies = BASE.filter(({ kind }) => kind === "NetworkPolicy").map(readNetworkPolicy);
  const all = policies.find(({ metadata }) => metadata.name === "torikomi");
  assert.ok(all !== undefined);

  const entrances = policies.flatMap(({ spec }) =>
    (spec.ingress ?? []).flatMap(({ from, ports }) =>
      from.map((one) => [
        one.namespaceSelector?.matchLabels["kubernetes.io/metadata.name"],
        ...ports.map(({ port }) => port),
      ]),
    ),
  );
  const out = (all.spec.egress ?? []).map(({ ports, to }) => ({ ports: ports.map(({ port }) => port), to }));

  assert.deepEqual(all.spec.policyTypes, ["Ingress", "Egress"]);
  assert.deepEqual(all.spec.podSelector.matchLabels, { "app.kubernetes.io/name": "torikomi" });
  assert.deepEqual(entrances.sort(), [
    ["ingress-nginx", "http"],
    ["monitoring", "operations"],
  ]);
  assert.deepEqual(
    out.map(({ ports }) => ports),
    [[53, 53], [443]],
  );
  const world = out[1]?.to.map(({ ipBlock }) => ipBlock) ?? [];
  for (const range of ["10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"])
    assert.ok(
      world.some((block) => block?.except?.includes(range)),
      range,
    );
});

test("the program accepts the example's configuration in production", async () => {
  const config = configOf(await readConfigMap(EXAMPLE));

  assert.equal(config.production, true);
  assert.equal(config.publicUrl, "https://torikomi.example.com");
  assert.equal(config.trustProxy, 1);
  assert.equal(config.databaseRuntimeRole, "torikomi_app");
  assert.match(config.documentStore, /^s3:/);
});

test("an overlay with traces can reach the collector's port", async () => {
  const manifests = await renderEdited("overlays/example", {
    file: "overlays/example/kustomization.yaml",
    edit: (text) => text.replace(/^# (components:\n)# (.*\n)/m, "$1$2"),
  });

  const names = new Set(EXAMPLE.map(({ metadata }) => metadata.name));
  const policy = find(manifests, "NetworkPolicy", "torikomi-to-collector");
  const { endpoint, tracing } = await readTracing(manifests);
  assert.deepEqual(listFaults(policy), []);
  assert.ok(!names.has(policy.metadata.name), "it is there without being asked for");
  assert.deepEqual(
    readNetworkPolicy(policy).spec.egress?.flatMap(({ ports }) => ports.map(({ port }) => String(port))),
    [endpoint.port],
  );
  assert.deepEqual(tracing, { serviceName: "torikomi" });
  assert.equal(configOf(await readConfigMap(EXAMPLE)).tracing, null);
});

async function readTracing(
  manifests: readonly Manifest[],
): Promise<{ endpoint: URL; tracing: Config["tracing"] }> {
  const environment = await readConfigMap(manifests);
  const endpoint = new URL(environment["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "");
  return { endpoint, tracing: configOf(environment).tracing };
}

test("no manifest holds a secret, and every image is pinned", async () => {
  const config = await readConfigMap(EXAMPLE);
  const images = EXAMPLE.filter(({ kind }) => kind === "Deployment").flatMap((one) =>
    containersOf(readDeployment(one).spec.template.spec).map(({ image }) => image),
  );

  assert.equal(EXAMPLE.filter(({ kind }) => kind === "Secret").length, 0);
  for (const name of SECRETS.serve) assert.equal(config[name], undefined, name);
  assert.equal(images.length, 4);
  for (const image of images) assert.match(image, /@sha256:[0-9a-f]{64}$/);
});

test("the namespace rejects less strict pods", () => {
  const { metadata } = find(EXAMPLE, "Namespace", "torikomi");

  assert.partialDeepStrictEqual(metadata["labels"], { "pod-security.kubernetes.io/enforce": "restricted" });
  for (const one of EXAMPLE)
    if (one.kind !== "Namespace") assert.equal(one.metadata["namespace"], "torikomi");
});

test("the image runs as the user and on the port that the manifests name", async () => {
  const dockerfile = await readFile(new URL("../../Dockerfile", import.meta.url), "utf8");
  const { runAsUser, runAsGroup } = podOf("serve").securityContext;

  assert.match(dockerfile, new RegExp(`^USER ${runAsUser}:${runAsGroup}$`, "m"));
  assert.match(
    dockerfile,
    new RegExp(`^EXPOSE ${podOf("serve").containers[0]?.ports?.[0]?.containerPort}$`, "m"),
  );
  assert.equal(
    configOf(await readConfigMap(EXAMPLE)).port,
    podOf("serve").containers[0]?.ports?.[0]?.containerPort,
  );
});

function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  assert.ok(found !== undefined, `${kind} ${name}`);
  return found;
}

function podOf(role: (typeof ROLES)[number]): PodSpec {
  return readDeployment(find(BASE, "Deployment", `torikomi-${role}`)).spec.template.spec;
}

function containersOf(pod: PodSpec): readonly Container[] {
  return [...pod.initContainers, ...pod.containers];
}

function mountOfSecrets(container: Container): string | undefined {
  return container.volumeMounts.find(({ mountPath }) => mountPath === "/run/secrets/torikomi")?.name;
}

/** How long a probe may fail before it takes effect, in seconds. */
function patience({
  periodSeconds,
  failureThreshold,
}: {
  periodSeconds: number;
  failureThreshold: number;
}): number {
  return periodSeconds * failureThreshold;
}

async function readConfigMap(manifests: readonly Manifest[]): Promise<Record<string, string | undefined>> {
  const [config] = manifests.filter(
    ({ kind, metadata }) =>
      kind === "ConfigMap" && metadata.name.startsWith("torikomi-") && metadata.name !== "torikomi-dashboard",
  );
  const data = config?.["data"];
  assert.ok(typeof data === "object" && data !== null);
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, String(value)]));
}

/** The environment as the program reads it, with values for the mounted secrets. */
function configOf(environment: Record<string, string | undefined>): Config {
  return parseConfig({ ...environment, ...VALUES });
}

function bytes(text: string | undefined): number {
  const [, count, unit = ""] = /^(\d+)(Ki|Mi|Gi|k|m|g)?$/.exec(text ?? "") ?? [];
  const units: Record<string, number> = { k: 10, m: 20, g: 30, Ki: 10, Mi: 20, Gi: 30 };
  return Number(count) * 2 ** (units[unit] ?? 0);
}

function seconds(text: string | undefined): number {
  return Number.parseInt(text ?? "", 10);
}
