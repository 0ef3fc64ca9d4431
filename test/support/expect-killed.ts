import { expect } from 'vitest';
import type { BrowserKill } from './browser-kill.ts';

/** The kill is all that it should be: the agent is dead, its task barred, the record whole. */
export function expectKilled(kill: BrowserKill): void {
  expect(kill).toMatchObject({
    wasAlive: true,
    isAlive: false,
    status: 'killed',
    refused: 'gate-closed',
    chain: { ok: true, count: 3 },
  });
  expect(kill.report).toMatchObject({ settled: true, total: 1, killed: 1, failed: 0 });
  expect(kill.report.outcomes).toMatchObject([{ agentId: 'a', outcome: 'confirmed', forced: true }]);
  expect([...kill.events]).toEqual(['order.requested', 'agent.killed', 'order.settled']);
}
