/** The dashboard and the alert rules speak of metrics and labels that there are, in PromQL that parses. */
import { readFile } from 'node:fs/promises';
import { createKillswitch } from '@agent-killswitch/core';
import { memoryAudit, memoryState } from '@agent-killswitch/core/memory';
import { parser } from '@prometheus-io/lezer-promql';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { killswitchMetrics } from '../src/prometheus/index.ts';

const register = new Registry();
killswitchMetrics(
  createKillswitch({ hostId: 'h', state: memoryState(), audit: memoryAudit(), runtimes: {} }),
  { register },
);
/** `MetricObject` is typed without what it has. */
const metrics = register.getMetricsAsArray() as unknown as ReadonlyArray<{
  readonly name: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}>;

/** What a Prometheus knows each series by: its labels, with those that the scrape adds. */
const series = new Map<string, readonly string[]>();
for (const { name, type, labelNames } of metrics) {
  const labels = [...labelNames, 'instance', 'job'];
  if (type !== 'histogram') series.set(name, labels);
  else {
    series.set(`${name}_bucket`, [...labels, 'le']);
    series.set(`${name}_sum`, labels).set(`${name}_count`, labels);
  }
}

/** What is wrong with an expression. */
function faultsOf(expression: string): string[] {
  // Grafana puts these in before Prometheus sees them.
  const query = expression.replaceAll('$__rate_interval', '1m').replaceAll('$instance', 'host-1');
  const faults: string[] = [];
  const named: string[] = [];
  const labels: string[] = [];
  parser.parse(query).iterate({
    enter({ type, from, to, node }) {
      const text = query.slice(from, to);
      if (type.isError) faults.push(`cannot be parsed at ${from}`);
      if (type.name === 'Identifier' && node.parent?.name === 'VectorSelector') named.push(text);
      if (type.name === 'LabelName') labels.push(text);
    },
  });
  if (named.length === 0) faults.push('names no metric');
  for (const name of named) if (!series.has(name)) faults.push(`there is no ${name}`);
  const known = new Set(named.flatMap((name) => series.get(name) ?? []));
  for (const label of labels) if (!known.has(label)) faults.push(`no metric of it has a label ${label}`);
  return faults;
}

test.each([
  ['sum(killswitch_kills_total', 'cannot be parsed'],
  ['rate(killswitch_deaths_total[5m])', 'there is no killswitch_deaths_total'],
  ['killswitch_time_to_death_seconds', 'there is no killswitch_time_to_death_seconds'],
  ['sum by (colour) (killswitch_kills_total)', 'a label colour'],
  ['killswitch_kills_total{colour="red"}', 'a label colour'],
  ['1 + 1', 'names no metric'],
])('%s is found wrong', (expression, fault) => {
  expect(faultsOf(expression)).toContainEqual(expect.stringContaining(fault));
});

describe('the dashboard', async () => {
  const text = await readFile(new URL('../grafana/agent-killswitch.json', import.meta.url), 'utf8');
  const { panels } = JSON.parse(text) as {
    panels: { id: number; title: string; targets: { expr: string; legendFormat: string }[] }[];
  };
  const targets = panels.flatMap(({ title, targets }) => targets.map((target) => ({ title, ...target })));

  test.each(targets)('$title: $expr', ({ expr, legendFormat }) => {
    expect(faultsOf(expr)).toEqual([]);
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
    for (const label of shown) expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
  });

  test('shows every metric, each panel in a place of its own', () => {
    const expressions = targets.map(({ expr }) => expr).join(' ');
    for (const { name } of metrics) expect(expressions).toContain(name);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});

describe('the alert rules', async () => {
  interface Rule {
    readonly alert: string;
    readonly expr: string;
    readonly for?: string;
    readonly labels: { readonly severity: string };
    readonly annotations: Readonly<Record<'summary' | 'description', string>>;
  }
  const text = await readFile(new URL('../prometheus/alerts.yml', import.meta.url), 'utf8');
  const { groups } = parseYaml(text) as { groups: { name: string; rules: Rule[] }[] };
  const rules = groups.flatMap((group) => group.rules);

  test.each(rules)('$alert', (rule) => {
    expect(faultsOf(rule.expr)).toEqual([]);
    expect(rule.labels.severity).toMatch(/^(critical|warning|info)$/);
    expect(Object.keys(rule.annotations)).toEqual(['summary', 'description']);
    expect(rule.for ?? '1m').toMatch(/^\d+[sm]$/);
    for (const [, label] of rule.annotations.description.matchAll(/\$labels\.(\w+)/g))
      expect(
        [...series].some(([name, labels]) => rule.expr.includes(name) && labels.includes(label as string)),
      ).toBe(true);
  });

  test('each has a name of its own', () => {
    expect(rules.length).toBeGreaterThan(8);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});
