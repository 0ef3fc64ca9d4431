import { createHash } from 'node:crypto';
import { type AuditRecord, chain, type Sha256 } from '@agent-killswitch/core';
import { killedEvent } from '../test/support/audit-events.ts';
import { compare } from './compare.ts';
import type { Report } from './report.ts';

const n = 100_000;
const rounds = 5;
const native: Sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** What chaining an audit event costs over hashing its text, with core's portable hash and with Node's own. */
export default function bench(report: Report): void {
  const events = Array.from({ length: n }, (_, index) => killedEvent(index));
  const texts: string[] = [];
  const chainAll = (hash?: Sha256): void => {
    let last: AuditRecord | undefined;
    for (const event of events) last = chain(last, 'bench', event, hash);
  };
  chainAll((text) => {
    texts.push(text);
    return native(text);
  });
  const hashAll = (): void => {
    for (const text of texts) native(text);
  };
  for (const { metric, hash, limit } of [
    { metric: 'audit.chain', hash: undefined, limit: 10 },
    { metric: 'audit.chain.native-hash', hash: native, limit: 6 },
  ]) {
    const { subjectMs, baselineMs } = compare(rounds, () => chainAll(hash), hashAll);
    report({ metric, value: subjectMs, unit: 'ms', baseline: baselineMs, limit, n });
  }
}
