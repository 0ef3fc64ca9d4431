/**
 * Sends requests over kept connections and counts the answers: one {@link Load} after the other, as they come as messages,
 * each answered with a {@link Loaded}. Run as a process of its own, so that it takes nothing from what answers.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { HttpLine, postOf } from './http-line.ts';

export interface Load {
  readonly port: number;
  /** Asked for in turns; `N` stands for the number of the request. */
  readonly paths: readonly string[];
  /** Who asks, in turns. */
  readonly tokens: readonly string[];
  /** Connections; no more requests than that are open at once. */
  readonly atOnce: number;
  /** So many in all; otherwise until the message `end`. */
  readonly count?: number;
  /** So many a second; otherwise as fast as they are answered. */
  readonly perSecond?: number;
}

export interface Loaded {
  readonly seconds: number;
  /** How many answers of each status; 0 for none. */
  readonly statuses: Readonly<Record<number, number>>;
  /** By the number of the request, how long its answer was waited for, in milliseconds. */
  readonly waitsMs: readonly number[];
}

let isOver = false;

process.on('message', (message: Load | 'end') => {
  isOver = message === 'end';
  if (message !== 'end') void run(message).then((loaded) => process.send?.(loaded));
});

async function run({ port, paths, tokens, atOnce, count = Infinity, perSecond }: Load): Promise<Loaded> {
  const statuses: Record<number, number> = {};
  const waitsMs: number[] = [];
  let next = 0;
  const begun = performance.now();
  const keepSending = async (line: HttpLine): Promise<void> => {
    for (let n = next++; n < count && !isOver; n = next++) {
      const dueIn = perSecond === undefined ? 0 : begun + (n * 1_000) / perSecond - performance.now();
      if (dueIn > 1) await delay(dueIn);
      const path = inTurn(paths, n).replace('N', String(n));
      const since = performance.now();
      const status = await line.send(postOf(path, inTurn(tokens, n), '{"reason":"it went rogue"}'));
      waitsMs[n] = performance.now() - since;
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
    line.close();
  };
  await Promise.all(Array.from({ length: atOnce }, () => keepSending(new HttpLine(port))));
  return { seconds: (performance.now() - begun) / 1_000, statuses, waitsMs };
}

function inTurn(all: readonly string[], n: number): string {
  return all[n % all.length] ?? '';
}
