import { type AuditRecord, chain, chainFault } from '@agent-killswitch/core';
import { killedEvent } from '../test/support/audit-events.ts';
import type { Campaign } from './campaign.ts';
import { SeededRandom } from './seeded-random.ts';
import { tamper, tamperings } from './tampering.ts';

const campaign: Campaign = {
  name: 'chain-tampering',
  summary: 'Every change to a chain of audit records is found, and no clean chain is accused (I4)',
  defaultRounds: 20_000,
  testRounds: 2_000,

  async run({ rounds, seed, log }) {
    const random = new SeededRandom(seed);
    const violations: string[] = [];
    const faultsFired = Object.fromEntries(tamperings.map((kind) => [kind, 0]));
    for (let round = 0; round < rounds; round++) {
      const records = cleanChain(random.integer(2, 30), random.integer(0, 100_000));
      const head = records.at(-1);
      const kind = random.pick(tamperings);
      const tampered = tamper(kind, records, random);
      if (isFaulty(records, head)) violations.push(`seed ${seed} round ${round}: a clean chain is accused`);
      if (!isFaulty(tampered, head)) violations.push(`seed ${seed} round ${round}: ${kind} is not found`);
      faultsFired[kind] = (faultsFired[kind] ?? 0) + 1;
      if ((round + 1) % 5_000 === 0) log(`round ${round + 1}: ${violations.length} violations`);
    }
    return { violations, faultsFired };
  },
};
export default campaign;

function cleanChain(length: number, from: number): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let n = 0; n < length; n++) records.push(chain(records.at(-1), killedEvent(from + n)));
  return records;
}

/** Checks a chain the way a reader does who knows its newest hash, which is how a cut-off end shows. */
function isFaulty(records: readonly AuditRecord[], head: AuditRecord | undefined): boolean {
  let last: AuditRecord | undefined;
  for (const record of records) {
    if (chainFault(last, record) !== undefined) return true;
    last = record;
  }
  return last?.hash !== head?.hash;
}
