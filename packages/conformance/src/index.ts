export {
  type AuditSinkClause,
  type AuditSinkFactory,
  auditSinkClauses,
  sampleEvent,
  sampleEvents,
} from './audit-sink.ts';
export { type AuthorizerClause, type AuthorizerFactory, authorizerClauses } from './authorizer.ts';
export { type Clause, ConformanceError, expectThat } from './clause.ts';
export {
  type CleanupStepClause,
  type CleanupStepFactory,
  cleanupStepClauses,
  type Leftover,
} from './cleanup-step.ts';
export { type ClockClause, type ClockFactory, clockClauses } from './clock.ts';
export { type RuntimeClause, type RuntimeFactory, runtimeClauses, type Victim } from './runtime.ts';
export { type StateStoreClause, type StateStoreFactory, stateStoreClauses } from './state-store.ts';
