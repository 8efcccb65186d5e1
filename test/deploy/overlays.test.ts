import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { parseConfig } from "../../src/config.ts";
import { type Manifest, renderEdited, renderManifests } from "./manifests.ts";
import { readDeployment, readNetworkPolicy } from "./readers.ts";
import { listFaults } from "./schemas.ts";

const OVERLAY = "overlays/example/kustomization.yaml";
const EXAMPLE = await renderManifests("overlays/example");

test("one small node runs a single pod with both roles, which keeps documents on a volume", async () => {
  const manifests = await renderManifests("overlays/small");

  for (const manifest of manifests) assert.deepEqual(listFaults(manifest), [], manifest.metadata.name);
  const [deployment, ...others] = manifests.filter(({ kind }) => kind === "Deployment");
  assert.ok(deployment !== undefined);
  assert.deepEqual(others, []);
  const { replicas, strategy, template } = readSmall(deployment);
  assert.deepEqual(
    [replicas, strategy, template.spec.containers[0]?.args],
    [1, { type: "Recreate" }, ["all"]],
  );
  const data = template.spec.volumes.find(({ name }) => name === "data");
  assert.equal(data?.persistentVolumeClaim?.claimName, "torikomi-data");
  const kinds = new Set(manifests.map(({ kind }) => kind));
  assert.deepEqual(
    [...kinds].filter((kind) => /Autoscaler|Budget/.test(kind)),
    [],
  );
  assert.ok(kinds.has("PersistentVolumeClaim"));
  const config = parseConfig({ ...environmentOf(manifests), ...SECRETS });
  assert.deepEqual([config.production, config.documentStore], [true, "file"]);
});

test("the examples for private networks are valid, and open nothing unless the overlay lists them", async () => {
  const name = "torikomi-to-private-network";

  const manifests = await renderEdited("overlays/example", {
    file: OVERLAY,
    edit: (text) => text.replace("# - private-network.yaml", "- private-network.yaml"),
  });

  assert.equal(
    EXAMPLE.find(({ metadata }) => metadata.name === name),
    undefined,
  );
  const policy = manifests.find(({ metadata }) => metadata.name === name);
  assert.ok(policy !== undefined);
  assert.deepEqual(listFaults(policy), []);
  const { spec } = readNetworkPolicy(policy);
  assert.deepEqual(
    spec.egress?.map(({ ports }) => ports.map(({ port }) => port)),
    [[443], [9000], [443], [80]],
  );
});

test("a private certificate authority is mounted in every container, the migration's included", async () => {
  const manifests = await renderEdited("overlays/example", {
    file: OVERLAY,
    edit: (text) =>
      text.replace("# components:", "components:").replace("#   - ../../private-ca", "  - ../../private-ca"),
  });

  const deployments = manifests.filter(({ kind }) => kind === "Deployment");
  const path = environmentOf(manifests)["NODE_EXTRA_CA_CERTS"];
  assert.equal(path, "/run/certificates/ca.crt");
  assert.equal(deployments.length, 2);
  for (const manifest of deployments) {
    assert.deepEqual(listFaults(manifest), []);
    const { initContainers, containers, volumes } = readDeployment(manifest).spec.template.spec;
    const volume = volumes.find(({ configMap }) => configMap?.name === "torikomi-ca");
    for (const { name, volumeMounts } of [...initContainers, ...containers])
      assert.deepEqual(
        volumeMounts.find((mount) => mount.name === volume?.name),
        { name: "certificates", mountPath: "/run/certificates", readOnly: true },
        name,
      );
  }
  assert.equal(environmentOf(EXAMPLE)["NODE_EXTRA_CA_CERTS"], undefined);
});

for (const [what, value, found] of [
  ["the namespace of the ingress controller", "ingress-nginx", entrancesOf],
  ["the namespace of Prometheus", "monitoring", entrancesOf],
  ["the label that Prometheus selects by", "kube-prometheus-stack", releasesOf],
] as const) {
  test(`an overlay changes ${what} in a line marked "Change"`, async () => {
    const manifests = await renderEdited("overlays/example", {
      file: OVERLAY,
      edit: (text) => text.replace(new RegExp(`(# Change: [^]*?value: )${value}$`, "m"), "$1elsewhere"),
    });

    assert.ok(found(EXAMPLE).includes(value));
    assert.ok(!found(manifests).includes(value));
    assert.ok(found(manifests).includes("elsewhere"));
  });
}

test("Prometheus labels every metric with the pod's role", () => {
  const monitor = EXAMPLE.find(({ kind }) => kind === "PodMonitor");

  assert.partialDeepStrictEqual(monitor?.["spec"], { podTargetLabels: ["app.kubernetes.io/component"] });
});

const Small = z.object({
  spec: z.object({ replicas: z.number(), strategy: z.looseObject({}), template: z.unknown() }),
});

function readSmall(manifest: Manifest) {
  const { replicas, strategy } = Small.parse(manifest).spec;
  const rolling = { ...manifest, spec: { ...Object(manifest["spec"]), strategy: { rollingUpdate: {} } } };
  return { replicas, strategy, template: readDeployment(rolling).spec.template };
}

function environmentOf(manifests: readonly Manifest[]): Record<string, string> {
  const maps = manifests.filter(
    ({ kind, metadata }) => kind === "ConfigMap" && metadata.name !== "torikomi-dashboard",
  );
  return Object.assign({}, ...maps.map((one) => z.record(z.string(), z.string()).parse(one["data"])));
}

function entrancesOf(manifests: readonly Manifest[]): string[] {
  return manifests
    .filter(({ kind }) => kind === "NetworkPolicy")
    .flatMap((one) => readNetworkPolicy(one).spec.ingress ?? [])
    .flatMap(({ from }) =>
      from.map(({ namespaceSelector }) => Object.values(namespaceSelector?.matchLabels ?? {})),
    )
    .flat();
}

function releasesOf(manifests: readonly Manifest[]): string[] {
  const labels = z.record(z.string(), z.string());
  return manifests
    .filter(({ kind }) => kind === "PodMonitor" || kind === "PrometheusRule")
    .map(({ metadata }) => labels.parse(metadata["labels"])["release"] ?? "");
}

const SECRETS = {
  DATABASE_URL: "postgres://somebody@database.example/torikomi",
  DOCUSIGN_CLIENT_SECRET: "secret",
  CONNECT_HMAC_KEYS: "0123456789abcdef0123456789abcdef",
  ENCRYPTION_KEYS: `first:${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`,
  CABINET_CLIENT_SECRET: "secret",
};
