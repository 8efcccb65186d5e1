import { PodMonitor, PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import { Deployment } from "kubernetes-models/apps/v1";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2";
import { Ingress, NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1";
import { ConfigMap, Namespace, PersistentVolumeClaim, Service, ServiceAccount } from "kubernetes-models/v1";
import type { Manifest } from "./manifests.ts";

const MODELS = [
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Ingress,
  Namespace,
  NetworkPolicy,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  PodMonitor,
  PrometheusRule,
  Service,
  ServiceAccount,
];

/** The violations of Kubernetes' schema by a manifest, including unknown fields. */
export function listFaults(manifest: Manifest): string[] {
  const model = MODELS.find(({ is }) => is(manifest));
  if (model === undefined) return [`no schema for ${manifest.apiVersion} ${manifest.kind}`];
  const unread = new Set<string>();
  const faults: string[] = [];
  try {
    model.prototype.validate.call(watch(manifest, "", unread));
  } catch (fault) {
    faults.push(String(fault));
  }
  return [...faults, ...[...unread].map((path) => `unknown field ${path}`)];
}

/**
 * Returns the same values and records which fields are never read. Kubernetes' schemas accept unknown fields, so a
 * misspelt one would pass; but a schema reads every field that it knows.
 */
function watch(value: unknown, path: string, unread: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((one, index) => watch(one, `${path}/${index}`, unread));
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([key, inner]) => {
    unread.add(`${path}/${key}`);
    return [key, watch(inner, `${path}/${key}`, unread)] as const;
  });
  return new Proxy(Object.fromEntries(fields), {
    get(target: Record<string, unknown>, key) {
      unread.delete(`${path}/${String(key)}`);
      return typeof key === "string" ? target[key] : undefined;
    },
  });
}
