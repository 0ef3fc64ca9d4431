import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { sqliteState } from '../src/index.ts';
import { sql } from '../src/statements.ts';
import { temporaryFolder } from './support.ts';

/** What may be read in full: the keys that a call was given, gates that stand, open orders, approvals, leases: all few. */
const readInFull: Record<string, RegExp> = {
  gates: /^SCAN gates$/,
  openOrders: /^SCAN orders USING INDEX open_orders$/,
  dropApprovals: /^SCAN (approvals|o VIRTUAL TABLE INDEX 1:)$/,
  leases: /^SCAN leases$/,
};
const keysGiven = /^SCAN json_each VIRTUAL TABLE INDEX/;

it('no statement scans a table', () => {
  const file = join(temporaryFolder(), 'state.db');
  sqliteState(file).close();
  const database = new DatabaseSync(file);
  const plans = Object.entries(sql).map(([name, text]) => {
    const values = Array.from({ length: text.split('?').length - 1 }, () => null);
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...values);
    return { name, steps: steps.map((step) => String(step.detail)) };
  });
  database.close();
  for (const { name, steps } of plans) {
    const scans = steps.filter((step) => step.startsWith('SCAN') && !keysGiven.test(step));
    expect(
      scans.filter((scan) => !readInFull[name]?.test(scan)),
      name,
    ).toEqual([]);
  }
  const planOf = (name: string) => plans.find((plan) => plan.name === name)?.steps.join('\n') ?? '';
  expect(planOf('listed')).toContain('SEARCH l USING PRIMARY KEY (list_key=? AND seq>?)');
  expect(planOf('listed')).not.toContain('TEMP B-TREE');
  expect(planOf('inOrder')).toContain('SEARCH o USING PRIMARY KEY (order_id=? AND seq>?)');
  expect(planOf('gateOn')).toContain('SEARCH gates USING INDEX gates_by_scope (scope_key=?)');
  expect(planOf('agentState')).toContain('(agent_id=?)');
  expect(planOf('openOrder')).toContain('SEARCH orders USING INDEX open_orders (scope_key=? AND opens=?)');
  expect(planOf('delist')).toContain('SEARCH listings USING PRIMARY KEY (list_key=? AND seq=?)');
});
