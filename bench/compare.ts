/** The middle of an odd number of values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('The median of nothing');
  return (lower + upper) / 2;
}

/**
 * Times two ways of the same work in turns, so that a machine that slows down slows both, and answers the median
 * milliseconds of each. A first round of each is not counted.
 */
export function compare(
  rounds: number,
  subject: () => void,
  baseline: () => void,
): { subjectMs: number; baselineMs: number } {
  subject();
  baseline();
  const subjectTimes: number[] = [];
  const baselineTimes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    subjectTimes.push(timed(subject));
    baselineTimes.push(timed(baseline));
  }
  return { subjectMs: median(subjectTimes), baselineMs: median(baselineTimes) };
}

function timed(work: () => void): number {
  const since = performance.now();
  work();
  return performance.now() - since;
}
