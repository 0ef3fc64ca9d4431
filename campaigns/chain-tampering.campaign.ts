import { type AuditRecord, chain, verifyChain } from '@agent-killswitch/core';
import { killedEvent } from '../test/support/audit-events.ts';
import type { Campaign } from './campaign.ts';
import { SeededRandom } from './seeded-random.ts';
import { type Tampering, tamper, tamperings } from './tampering.ts';

const partition = 'campaign';

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
      const options = { partition, head: records.at(-1) };
      const kind = random.pick(tamperings);
      const tampered = tamper(kind, records, random);
      const clean = await verifyChain(records, options);
      if (!clean.ok)
        violations.push(`seed ${seed} round ${round}: a clean chain is accused of ${clean.fault}`);
      const found = await verifyChain(tampered, options);
      if (found.ok) violations.push(`seed ${seed} round ${round}: ${kind} is not found`);
      else if (!isPlace(found.at.index - firstDifference(records, tampered), kind))
        violations.push(`seed ${seed} round ${round}: ${kind} is found at record ${found.at.index}`);
      faultsFired[kind] = (faultsFired[kind] ?? 0) + 1;
      if ((round + 1) % 5_000 === 0) log(`round ${round + 1}: ${violations.length} violations`);
    }
    return { violations, faultsFired };
  },
};
export default campaign;

function cleanChain(length: number, from: number): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let n = 0; n < length; n++) records.push(chain(records.at(-1), partition, killedEvent(from + n)));
  return records;
}

function firstDifference(records: readonly AuditRecord[], tampered: readonly AuditRecord[]): number {
  const first = records.findIndex((record, at) => record !== tampered[at]);
  return first === -1 ? records.length : first;
}

/** The bad record is the first that differs; one that is rightly chained is given away by the next, if there is one. */
function isPlace(behindFirst: number, kind: Tampering): boolean {
  return behindFirst === 0 || (behindFirst === 1 && (kind === 'insert' || kind === 'rewrite'));
}
