import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Looks at /proc without the adapter's code: what a test believes. */
export function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  return !['Z', 'X', undefined].includes(stateOf(pid));
}

export function startTimeOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

/** The processes started in one test, known by a variable in their environment that has nothing to do with the adapter's. */
export class TestRun {
  readonly id: string = randomUUID();
  readonly env: Record<string, string> = { PATH: process.env.PATH ?? '', TEST_RUN: this.id };

  alive(): number[] {
    const pids = readdirSync('/proc').map(Number).filter(Number.isSafeInteger);
    return pids.filter((pid) => isAlive(pid) && environOf(pid).includes(`TEST_RUN=${this.id}\0`));
  }

  /** Ends whatever the test left behind. */
  end(but: readonly number[] = []): void {
    const others = (): number[] => this.alive().filter((pid) => !but.includes(pid));
    for (let left = others(); left.length > 0; left = others()) {
      for (const pid of left) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It is gone already.
        }
      }
    }
  }
}

function environOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return '';
  }
}

/** The next lines a child prints. */
export async function lines(child: ChildProcess, count: number): Promise<string[]> {
  const seen: string[] = [];
  if (child.stdout === null) throw new Error('the child has no pipe');
  for await (const line of createInterface({ input: child.stdout })) {
    seen.push(line);
    if (seen.length >= count) break;
  }
  if (seen.length < count) throw new Error(`the child ended after ${seen.length} of ${count} lines`);
  return seen;
}

export const pids = async (child: ChildProcess, count: number): Promise<number[]> =>
  (await lines(child, count)).map(Number);
