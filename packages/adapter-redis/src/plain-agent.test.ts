import { isDeepStrictEqual } from 'node:util';
import { type Agent, agentSchema } from '@agent-killswitch/core';
import { describe, expect, it } from 'vitest';
import { isPlainAgent } from './plain-agent.ts';

const tracked = {
  ...{ agentId: 'a', taskId: 't', sessionIds: ['s'], workspaceId: 'w', ownerId: 'o', backendId: 'b' },
  ...{ parentId: 'p', lineage: ['p'], hostId: 'h', agentType: 'worker', revision: 3, spawnedAt: 5 },
  handles: [{ runtime: 'process', pid: 7, cgroup: { path: '/x', inside: [true, null] } }],
  resources: [{ kind: 'worktree', path: '/y' }],
  ledger: [{ step: 'clean', status: 'failed' as const, tries: 3, error: 'e', retryAt: 9 }],
  startedAt: 6,
};
const kill = {
  ...{ orderIds: ['x', 'y'], statusBefore: 'running' as const, requestedAt: 1, signalledAt: 2, forcedAt: 3 },
  ...{ confirmedAt: 4, unconfirmedAt: 5, evidence: 'seen', errors: ['e'] },
};
const samples: readonly Agent[] = [
  { ...tracked, status: 'spawning' },
  { ...tracked, status: 'running' },
  { ...tracked, status: 'killing', kill },
  { ...tracked, status: 'killed', kill, completedAt: 8 },
  { ...tracked, status: 'completed', completedAt: 8 },
  { ...tracked, status: 'failed', completedAt: 8, error: 'e' },
];

/** What may stand in the place of anything else, as JSON. */
const others = [
  ...['null', 'true', '0', '-1', '1.5', '1e999', '9007199254740992', '[]', '{}', '""', '"a/b"', '"x"'],
  ...['".a"', '"__proto__"', '"constructor"', '"prototype"', '["x"]', '[""]', '[null]', '{"runtime":"r"}'],
  ...['{"runtime":"r","x":1e999}', '{"runtime":"r","x":{"__proto__":1}}', `"${'x'.repeat(129)}"`],
  ...['{"__proto__":{"runtime":"r"}}', '{"kind":"k"}', '{"kind":1}', '[[]]', '"killing"', '"resting"'],
  ...[65, 101, 129].map((count) => JSON.stringify(Array.from({ length: count }, () => 'x'))),
  ...[17, 65, 129].map((n) => JSON.stringify(Array.from({ length: n }, () => ({ runtime: 'r', kind: 'k' })))),
];

/** Every text of a record that is `value` with one thing in it changed, left out or added. */
function* spoiled(value: unknown): Generator<string> {
  yield* others;
  if (typeof value !== 'object' || value === null) return;
  const entries = Object.entries(value).map(([key, each]) => [key, JSON.stringify(each)] as const);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const joined = (all: ReadonlyArray<readonly [string, string]>): string => {
    const texts = all.map(([key, text]) => (open === '[' ? text : `${JSON.stringify(key)}:${text}`));
    return `${open}${texts.join(',')}${close}`;
  };
  for (const [at, [key]] of entries.entries()) {
    yield joined(entries.toSpliced(at, 1));
    for (const text of spoiled((value as Record<string, unknown>)[key]))
      yield joined(entries.with(at, [key, text]));
  }
  for (const key of ['more', '__proto__', 'constructor', 'kill', 'error', 'completedAt', 'runtime'])
    for (const text of ['1', '"x"', '{}', '{"runtime":"r"}']) yield joined([...entries, [key, text]]);
}

describe('what is taken for an agent without asking the schema', () => {
  it('is every agent that the core writes', () => {
    for (const sample of samples) {
      expect(agentSchema.safeParse(sample).success).toBe(true);
      expect(isPlainAgent(sample)).toBe(true);
    }
  });

  it('is never anything that the schema refuses, and the very same as it gives', () => {
    let accepted = 0;
    let refused = 0;
    const wrong: string[] = [];
    for (const sample of samples) {
      for (const text of spoiled(sample)) {
        const value: unknown = JSON.parse(text);
        if (!isPlainAgent(value)) {
          refused += 1;
          continue;
        }
        accepted += 1;
        const parsed = agentSchema.safeParse(value);
        if (!parsed.success || !isDeepStrictEqual(parsed.data, JSON.parse(text))) wrong.push(text);
      }
    }
    expect(wrong).toEqual([]);
    expect(accepted).toBeGreaterThan(500);
    expect(refused).toBeGreaterThan(5_000);
  });
});
