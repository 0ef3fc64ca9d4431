import { expect, it } from 'vitest';
import type { AuditEvent } from './audit-event.ts';
import { memoryState } from './memory/memory-state.ts';
import type { AuditSink } from './ports/audit-sink.ts';
import { harness, root } from './testing/harness.ts';

const request = { principal: root, reason: 'drill' };

it('I7: a record never shows who joined as somebody who did not: both facts arrive in one batch', async () => {
  const state = memoryState();
  const first = await harness({ state });
  await first.agent('a1', { behaviour: 'immortal' });
  await first.during(200, first.ks.kill({ workspace: 'w1' }, { ...request, waitMs: 0 }));
  const batches: string[][] = [];
  const audit = {
    append: async (events: readonly AuditEvent[]) => void batches.push(events.map(({ type }) => type)),
    async *read() {},
    heads: async () => [],
  } satisfies AuditSink;
  const second = await harness({ state, audit, hostId: 'host-2', clock: first.clock });
  await second.during(200, second.ks.kill({ workspace: 'w1' }, { ...request, waitMs: 0 }));
  expect(batches).toContainEqual(['order.requested', 'order.joined']);
});
