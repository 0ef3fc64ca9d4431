import { readdirSync } from 'node:fs';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { containerIdsIn } from './cgroup-path.ts';
import { systemCode } from './errors.ts';
import { readCgroups, readStat } from './process-stat.ts';
import { SharedRun } from './shared-run.ts';

const exhausted = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);
/** So many processes at a time, then others have their turn. */
const batch = 500;
/** After a scan, as many times what it took before the next, but not for longer than this in milliseconds. */
const rest = { times: 4, mostMs: 250 };

/**
 * The living processes of containers, by a look through all of `/proc`. Whoever asks gets a look that begins after that; one look
 * is for all who ask before it begins, and there are pauses between looks, since many ask at once while an engine hangs.
 */
export class ProcessScan {
  readonly #scans = new SharedRun(() => this.#scan());
  #restUntil = Number.NEGATIVE_INFINITY;

  /** @throws the system's error if `/proc` cannot be read. */
  async pidsOf(containerId: string): Promise<readonly number[]> {
    const ms = this.#restUntil - performance.now();
    if (ms > 0) await sleep(ms);
    const members = (await this.#scans.next()).get(containerId) ?? [];
    return members.filter((pid) => readStat(pid)?.alive);
  }

  async #scan(): Promise<ReadonlyMap<string, readonly number[]>> {
    const since = performance.now();
    const found = new Map<string, number[]>();
    for (const [at, pid] of pids().entries()) {
      if (at % batch === batch - 1) await setImmediate();
      for (const id of containerIdsIn(cgroupsOf(pid))) {
        const members = found.get(id);
        if (members === undefined) found.set(id, [pid]);
        else members.push(pid);
      }
    }
    const now = performance.now();
    this.#restUntil = now + Math.min(rest.times * (now - since), rest.mostMs);
    return found;
  }
}

/** One process that cannot be read must not hide the others; a want of descriptors or memory would hide them all. */
function cgroupsOf(pid: number): string {
  try {
    return readCgroups(pid) ?? '';
  } catch (error) {
    if (exhausted.has(systemCode(error) ?? '')) throw error;
    return '';
  }
}

function pids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isSafeInteger);
}
