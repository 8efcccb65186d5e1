import { z } from "zod";
import type { Manifest } from "./manifests.ts";

const Probe = z.object({
  httpGet: z.object({ path: z.string(), port: z.literal("operations") }),
  periodSeconds: z.number(),
  failureThreshold: z.number(),
});

const Container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  envFrom: z.array(z.looseObject({})),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).optional(),
  securityContext: z.looseObject({}),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.object({ memory: z.string() }),
  }),
  volumeMounts: z.array(
    z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() }),
  ),
  startupProbe: Probe.optional(),
  readinessProbe: Probe.optional(),
  livenessProbe: Probe.optional(),
  lifecycle: z
    .object({ preStop: z.object({ exec: z.object({ command: z.tuple([z.literal("sleep"), z.string()]) }) }) })
    .optional(),
});
export type Container = z.infer<typeof Container>;

const Selector = z.object({ matchLabels: z.record(z.string(), z.string()) });

const PodSpec = z.object({
  automountServiceAccountToken: z.boolean(),
  enableServiceLinks: z.boolean(),
  securityContext: z.object({
    runAsNonRoot: z.boolean(),
    runAsUser: z.number(),
    runAsGroup: z.number(),
    fsGroup: z.number(),
    seccompProfile: z.object({ type: z.string() }),
  }),
  initContainers: z.array(Container),
  containers: z.array(Container),
  volumes: z.array(
    z.object({
      name: z.string(),
      emptyDir: z.object({ sizeLimit: z.string() }).optional(),
      configMap: z.object({ name: z.string() }).optional(),
      persistentVolumeClaim: z.object({ claimName: z.string() }).optional(),
      secret: z
        .object({
          secretName: z.string(),
          defaultMode: z.number(),
          items: z.array(z.object({ path: z.string() })).optional(),
        })
        .optional(),
      projected: z
        .object({
          defaultMode: z.number(),
          sources: z.array(
            z.object({
              secret: z.object({
                name: z.literal("torikomi"),
                optional: z.boolean().optional(),
                items: z.array(z.object({ path: z.string() })),
              }),
            }),
          ),
        })
        .optional(),
    }),
  ),
  topologySpreadConstraints: z.array(z.object({ topologyKey: z.string(), labelSelector: Selector })),
  terminationGracePeriodSeconds: z.number(),
});
export type PodSpec = z.infer<typeof PodSpec>;

const Deployment = z.object({
  spec: z.object({
    replicas: z.number().optional(),
    strategy: z.object({ rollingUpdate: z.looseObject({}) }),
    selector: Selector,
    template: z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }), spec: PodSpec }),
  }),
});

const Ingress = z.object({
  metadata: z.object({ name: z.string(), annotations: z.record(z.string(), z.string()) }),
  spec: z.object({
    tls: z.array(z.object({ hosts: z.array(z.string()) })),
    rules: z.array(
      z.object({ host: z.string(), http: z.object({ paths: z.array(z.object({ path: z.string() })) }) }),
    ),
  }),
});

const Peer = z.object({
  namespaceSelector: Selector.optional(),
  ipBlock: z.object({ cidr: z.string(), except: z.array(z.string()).optional() }).optional(),
});
const Ports = z.array(z.object({ port: z.union([z.number(), z.string()]) }));

const NetworkPolicy = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    podSelector: Selector,
    policyTypes: z.array(z.string()),
    ingress: z.array(z.object({ from: z.array(Peer), ports: Ports })).optional(),
    egress: z.array(z.object({ to: z.array(Peer), ports: Ports })).optional(),
  }),
});

export function readDeployment(manifest: Manifest): z.infer<typeof Deployment> {
  return Deployment.parse(manifest);
}

export function readIngress(manifest: Manifest): z.infer<typeof Ingress> {
  return Ingress.parse(manifest);
}

export function readNetworkPolicy(manifest: Manifest): z.infer<typeof NetworkPolicy> {
  return NetworkPolicy.parse(manifest);
}
