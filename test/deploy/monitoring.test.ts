import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { parser } from "@prometheus-io/lezer-promql";
import { z } from "zod";
import { createGauges } from "../../src/web/operations/gauges.ts";
import { createMetrics, requestTimer } from "../../src/web/operations/metrics.ts";
import { type Manifest, renderEdited, renderManifests } from "./manifests.ts";

const Rules = z.object({
  spec: z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            alert: z.string(),
            expr: z.string(),
            for: z.string(),
            labels: z.object({ severity: z.enum(["critical", "warning", "info"]) }),
            annotations: z.object({ summary: z.string(), runbook_url: z.url() }),
          }),
        ),
      }),
    ),
  }),
});

type Alert = z.infer<typeof Rules>["spec"]["groups"][number]["rules"][number];

const Dashboard = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
});

const MONITORING = await renderManifests("monitoring");
const ALERTS = alertsOf(MONITORING);
const PANELS = Dashboard.parse(
  JSON.parse(await readFile(new URL("../../deploy/monitoring/dashboard.json", import.meta.url), "utf8")),
).panels;
const RUNBOOK = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");

test("alerts ask in Prometheus' language for metrics that the service has", () => {
  const known = listMetrics();

  for (const { alert, expr } of ALERTS) {
    assert.deepEqual(listSyntaxFaults(expr), [], alert);
    for (const name of metricsOf(expr)) assert.ok(known.has(name), `${alert}: ${name}`);
  }
  assert.ok(ALERTS.length > 10);
});

test("the dashboard asks in Prometheus' language for metrics that the service has", () => {
  const known = listMetrics();

  for (const { title, targets } of PANELS) {
    for (const { expr } of targets) {
      const asked = expr.replaceAll("$__rate_interval", "5m");
      assert.deepEqual(listSyntaxFaults(asked), [], title);
      for (const name of metricsOf(asked)) assert.ok(known.has(name), `${title}: ${name}`);
    }
  }
  assert.ok(PANELS.length > 10);
});

test("what isn't Prometheus' language is noticed", () => {
  assert.notDeepEqual(listSyntaxFaults("sum(rate(torikomi_events_total[5m]) >"), []);
});

test("every metric of the service's own is on the dashboard", () => {
  const shown = new Set(PANELS.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsOf(expr))));

  const own = [...listMetrics()].filter((name) => name.startsWith("torikomi_"));

  for (const name of own) if (!NOT_SHOWN.has(name)) assert.ok(shown.has(name), name);
});

/** Shown otherwise: as the share of another one, or by the absence of everything. */
const NOT_SHOWN = new Set([
  "torikomi_database_up",
  "torikomi_docusign_calls_limit",
  "torikomi_first_import_wait_seconds",
]);

test("the runbook has a section for every alert, and none for others", () => {
  const sections = [...RUNBOOK.matchAll(/^### (Torikomi\w+)$/gm)].map(([, name]) => name);

  assert.deepEqual(sections.map(String).sort(), ALERTS.map(({ alert }) => alert).sort());
  for (const { alert, annotations } of ALERTS)
    assert.equal(annotations.runbook_url.split("#")[1], alert.toLowerCase());
});

test("an overlay sets the address of the runbook once for all alerts", async () => {
  const elsewhere = "https://wiki.example.org/on-call/torikomi";

  const manifests = await renderEdited("overlays/example", {
    file: "overlays/example/runbook.yaml",
    edit: (text) => text.replace(/https:\S+/, elsewhere),
  });

  const alerts = alertsOf(manifests);

  assert.deepEqual(
    alerts.map(({ annotations }) => annotations.runbook_url),
    ALERTS.map(({ alert }) => `${elsewhere}#${alert.toLowerCase()}`),
  );
});

test("every alert selects the metrics of one namespace", () => {
  for (const { alert, expr } of ALERTS) {
    const selectors = [...expr.matchAll(/torikomi_\w+(\{[^}]*\})?/g)];
    for (const [, matchers = ""] of selectors) assert.match(matchers, /^\{namespace="torikomi"[,}]/, alert);
    assert.ok(selectors.length > 0, alert);
  }
});

test("the runbook says what each severity of an alert asks for", () => {
  const [, introduction = ""] = /^## Alerts\n(.*?)^###/ms.exec(RUNBOOK) ?? [];

  const unsaid = ALERTS.map(({ labels }) => labels.severity).filter(
    (severity) => !introduction.toLowerCase().includes(`*${severity}*`),
  );

  assert.deepEqual(unsaid, []);
});

function alertsOf(manifests: readonly Manifest[]): Alert[] {
  return manifests
    .filter(({ kind }) => kind === "PrometheusRule")
    .flatMap((one) => Rules.parse(one).spec.groups.flatMap(({ rules }) => rules));
}

function listMetrics(): Set<string> {
  const metrics = createMetrics("1.2.3");
  createGauges(metrics.registry);
  requestTimer(metrics);
  return new Set(metrics.registry.getMetricsAsArray().map(({ name }) => name));
}

function listSyntaxFaults(expression: string): number[] {
  const faults: number[] = [];
  parser.parse(expression).iterate({
    enter: ({ type, from }) => {
      if (type.isError) faults.push(from);
    },
  });
  return faults;
}

/** A histogram's parts go under its own name. */
function metricsOf(expression: string): string[] {
  const names: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ name, from, to }) => {
      if (name === "Identifier") names.push(expression.slice(from, to).replace(/_(bucket|count|sum)$/, ""));
    },
  });
  return names;
}
