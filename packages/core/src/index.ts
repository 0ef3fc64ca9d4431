export {
  type Agent,
  type AgentStatus,
  agentSchema,
  type Handle,
  handleSchema,
  isKillable,
  isLive,
  type KilledAgent,
  type KillingAgent,
  type KillRecord,
  type LedgerEntry,
  listKeysOf,
  type NewAgent,
  newAgentSchema,
  type Resource,
  type Task,
  taskSchema,
} from './agent.ts';
export {
  type AuditRecord,
  type ChainFault,
  type ChainHead,
  chain,
  chainFault,
  genesisHash,
  seal,
} from './audit-chain.ts';
export { type AuditEvent, type AuditEventType, auditEventSchema, iso } from './audit-event.ts';
export { type AuditPage, auditPage } from './audit-page.ts';
export { canonical } from './canonical.ts';
export type { Deadlines, KillswitchOptions } from './config.ts';
export { createKillswitch } from './create-killswitch.ts';
export {
  AgentExistsError,
  AuditUnavailableError,
  DeadlineError,
  describeError,
  ForbiddenError,
  GateClosedError,
  InvalidConfigurationError,
  InvalidInputError,
  InvalidTransitionError,
  isKillswitchError,
  KillswitchError,
  NotStartedError,
  ParentKilledError,
  StateUnavailableError,
  StoppedAgainError,
  TaskConflictError,
  TooManyHandlesError,
  UnknownTargetError,
  UnsavedError,
} from './errors.ts';
export { eventRefused } from './event-refused.ts';
export type { KillswitchEvents, StopStep } from './events.ts';
export { type CloudEvent, toCloudEvent } from './export-cloudevents.ts';
export { type OcsfEvent, toOcsf } from './export-ocsf.ts';
export { type Gate, gateOf, gateSchema } from './gate.ts';
export type { GateOverview } from './gate-overview.ts';
export { idSchema, maxReasonLength, reasonSchema } from './identifiers.ts';
export { ulid } from './ids.ts';
export { parseInput } from './input.ts';
export type { Killswitch, KillswitchStatus, Unsaved } from './killswitch.ts';
export { type Lease, leaseSchema } from './lease.ts';
export {
  type Effect,
  type KillProgress,
  type LifecycleEvent,
  type Transition,
  transition,
} from './lifecycle.ts';
export {
  type KillOutcome,
  type Operation,
  type OrderReport,
  operationOf,
  type StopOrder,
  stopOrderSchema,
} from './order.ts';
export {
  type AuditQuery,
  type AuditSink,
  matchesQuery,
  type PartitionHead,
  type RecordPlace,
  requireOnFile,
} from './ports/audit-sink.ts';
export type { Verification, VerificationRequest } from './ports/audit-verification.ts';
export type { AccessRequest, Action, Authorizer, Decision } from './ports/authorizer.ts';
export type { CleanupStep } from './ports/cleanup-step.ts';
export type { Clock } from './ports/clock.ts';
export type { Observation, Runtime, RuntimeContext } from './ports/runtime.ts';
export type {
  Admission,
  FoundState,
  GateChange,
  GateChanges,
  Page,
  PageRequest,
  Placement,
  StateStore,
} from './ports/state-store.ts';
export {
  type Actor,
  actorOf,
  type Grant,
  grantSchema,
  type Principal,
  principalSchema,
  type Role,
} from './principal.ts';
export { type Approval, approvalSchema } from './release.ts';
export type { ReleaseReport } from './releases.ts';
export type { GracefulRequest, KillRequest, Request, StopRequest } from './request.ts';
export type { Preview } from './requests.ts';
export type { CleanupReport, CleanupTarget } from './retry-cleanup.ts';
export { belongsTo, type RolePolicy, rolePolicy } from './role-policy.ts';
export {
  type ListKey,
  type Scope,
  type ScopeKey,
  type ScopeKind,
  type ScopeMember,
  scopeKey,
  scopeKeysOf,
  scopeKind,
  scopeSchema,
} from './scope.ts';
export { type Sha256, sha256 } from './sha256.ts';
export type { ShutdownRequest } from './shutdown.ts';
export { systemClock } from './system-clock.ts';
export { type ChainReport, type VerifyOptions, verifyChain } from './verify-chain.ts';
export { withinSignal } from './within-signal.ts';
