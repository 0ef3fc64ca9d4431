/** One figure that a bench reports. */
export interface Figure {
  /** What was measured, in dots: `audit.chain`. Unique in a bench. */
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** The same work done the plainest way, in the same unit; makes `ratio` = value / baseline. */
  readonly baseline?: number;
  /** What `ratio`, or without a baseline `value`, has to keep to. Ratios travel between machines, absolutes do not. */
  readonly limit?: number;
  /** Which side of the limit is right; default `atMost`. */
  readonly direction?: 'atMost' | 'atLeast';
  /** How many operations the figure is over. */
  readonly n: number;
}

/** A figure as it is written to stdout, one JSON object a line. */
export interface ReportedFigure {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio?: number;
  readonly baseline?: number;
  readonly limit?: number;
  readonly n: number;
}

/** Takes a bench's figures as they come. */
export type Report = (figure: Figure) => void;

/** What a file `bench/<name>.bench.ts` exports as default. */
export type Bench = (report: Report) => Promise<void> | void;

/** @throws RangeError for a figure that is no finite number or over nothing: a broken bench must not look fast. */
export function reported({ metric, value, unit, baseline, limit, n }: Figure): ReportedFigure {
  for (const number of [value, baseline ?? 1, limit ?? 1, n]) {
    if (!Number.isFinite(number)) throw new RangeError(`${metric}: ${number} is no measurement`);
  }
  if (n <= 0 || baseline === 0) throw new RangeError(`${metric}: measured nothing`);
  return {
    metric,
    value,
    unit,
    ...(baseline === undefined ? {} : { ratio: value / baseline, baseline }),
    ...(limit === undefined ? {} : { limit }),
    n,
  };
}

export function breaksLimit(figure: Figure): boolean {
  const { ratio, value, limit } = reported(figure);
  if (limit === undefined) return false;
  const measured = ratio ?? value;
  return figure.direction === 'atLeast' ? measured < limit : measured > limit;
}

/** The figures as a table for people. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { metric, value, unit, ratio, baseline, limit, n } = reported(figure);
    const side = figure.direction === 'atLeast' ? '≥' : '≤';
    return [
      metric,
      `${short(value)} ${unit}`,
      baseline === undefined ? '' : `${short(baseline)} ${unit}`,
      ratio === undefined ? '' : `${short(ratio)}×`,
      limit === undefined ? '' : `${side} ${short(limit)}${breaksLimit(figure) ? '  BROKEN' : ''}`,
      `${n}`,
    ];
  });
  const all = [['metric', 'value', 'baseline', 'ratio', 'limit', 'n'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function short(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
