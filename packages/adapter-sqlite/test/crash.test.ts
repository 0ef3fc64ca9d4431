import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { sqliteState } from '../src/index.ts';
import { Child, temporaryFolder } from './support.ts';

it('what was acknowledged before a kill -9 is there after it, 25 times (I4)', async () => {
  const file = join(temporaryFolder(), 'state.db');
  const random = seeded(20_261_120);
  let acknowledged = 0;
  let next = new Child('writer', [file, '0']);
  for (let round = 0; round < 25; round += 1) {
    const child = next;
    child.tell('go');
    next = new Child('writer', [file, String(round + 1)]);
    const lines: string[] = [];
    const enough = 1 + Math.floor(random() * 120);
    for (let line = await child.hear(); line !== undefined; line = await child.hear()) {
      lines.push(line);
      if (lines.length === enough) child.process.kill('SIGKILL');
    }
    expect(child.process.signalCode ?? (await ended(child))).toBe('SIGKILL');
    expect(lines.length).toBeGreaterThanOrEqual(enough);
    acknowledged += lines.length;

    const store = sqliteState(file);
    const gates = new Set((await store.listGates()).map((gate) => gate.orderId));
    const open = new Set((await store.listOpenOrders()).map((order) => order.orderId));
    for (const line of lines) {
      const [word, id = ''] = line.split(' ');
      if (word === 'placed') expect([gates.has(id), open.has(id)], line).toEqual([true, true]);
      else
        expect((await store.getAgent(id))?.status, line).toMatch(
          word === 'claimed' ? /^killing$/ : /^(spawning|killing)$/,
        );
    }
    store.close();

    const database = new DatabaseSync(file);
    expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    expect(database.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
    database.close();
  }
  console.log(`${acknowledged} acknowledged changes survived 25 kills`);
}, 120_000);

function ended(child: Child): Promise<string | null> {
  return new Promise((resolve) => child.process.once('exit', (_code, signal) => resolve(signal)));
}

/** A repeatable source of numbers from 0 to 1 (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
