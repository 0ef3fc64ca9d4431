import { type AuditRecord, chain } from '@agent-killswitch/core';
import { expect, test } from 'vitest';
import { killedEvent } from '../test/support/audit-events.ts';
import { SeededRandom } from './seeded-random.ts';
import { tamper, tamperings } from './tampering.ts';

test.each(tamperings)('%s always changes the chain and never the original', (kind) => {
  const records: AuditRecord[] = [];
  for (let n = 0; n < 6; n++) records.push(chain(records.at(-1), 'tests', killedEvent(n)));
  const before = JSON.stringify(records);
  const random = new SeededRandom(11);
  for (let round = 0; round < 200; round++) {
    expect(JSON.stringify(tamper(kind, records, random))).not.toBe(before);
  }
  expect(JSON.stringify(records)).toBe(before);
});
