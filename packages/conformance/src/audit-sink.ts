import { appendClauses } from './audit-sink-appends.ts';
import type { AuditSinkClause } from './audit-sink-clause.ts';
import { readClauses } from './audit-sink-reads.ts';
import { verifyClauses } from './audit-sink-verify.ts';

export type { AuditSinkClause, AuditSinkFactory } from './audit-sink-clause.ts';
export { sampleEvent, sampleEvents } from './audit-sink-sample.ts';

/** Every promise of the `AuditSink` port. Each clause opens its own storage and disposes of it. */
export const auditSinkClauses: readonly AuditSinkClause[] = [
  ...appendClauses,
  ...readClauses,
  ...verifyClauses,
];
