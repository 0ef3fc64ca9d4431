import type { Registry } from 'prom-client';
import prom, { type PromData, type PromHistogramData, type PromMetrics } from 'prom2javascript';

type Labels = Readonly<Record<string, string>>;

/** What a Prometheus would read from a registry. */
export interface Samples {
  readonly metrics: PromMetrics;
  /** The sum of all samples of a counter or gauge that have these labels; `undefined` if there is none. */
  total(name: string, labels?: Labels): number | undefined;
  /** How many observations a histogram has, and their sum. */
  observed(name: string): { readonly count: number; readonly sum: number };
}

export async function scrape(registry: Registry): Promise<Samples> {
  return samplesOf(await registry.metrics());
}

/** @throws Error if it is not the text format. */
export async function samplesOf(text: string): Promise<Samples> {
  const metrics = await prom.getMetricsFromIterator(text.split('\n').values());
  return {
    metrics,
    total(name, labels = {}) {
      const samples = ((metrics[name]?.data ?? []) as PromData[]).filter((sample) =>
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
      );
      return samples.length === 0 ? undefined : samples.reduce((sum, { value }) => sum + value, 0);
    },
    observed(name) {
      const samples = (metrics[name]?.data ?? []) as PromHistogramData[];
      return {
        count: samples.reduce((all, { count }) => all + count, 0),
        sum: samples.reduce((all, { sum = 0 }) => all + sum, 0),
      };
    },
  };
}
