export { createSessions } from './create-sessions.ts';
export {
  CheckpointNotSerialisableError,
  CheckpointTooLargeError,
  SessionOverError,
  SessionStoreError,
} from './errors.ts';
export { fileSessions } from './file-sessions.ts';
export { installShutdownHandlers, type ShutdownHandlers } from './install-shutdown-handlers.ts';
export { memorySessions } from './memory-sessions.ts';
export { type RedisSessionsOptions, redisSessions, type SessionClient } from './redis-sessions.ts';
export type { Session } from './session.ts';
export { placeOf, type SessionPlace } from './session-place.ts';
export type { SessionPage, SessionQuery } from './session-reader.ts';
export { type SessionRecord, sessionRecordSchema } from './session-record.ts';
export type { SessionRecordPage, SessionStore } from './session-store.ts';
export type {
  SessionContext,
  SessionFacts,
  Sessions,
  SessionTask,
  StartedSession,
  WorkerSessionFacts,
} from './sessions.ts';
export type { SessionsOptions } from './sessions-options.ts';
export type { ShutdownReport } from './shutdown.ts';
export type { ShutdownOptions } from './shutdown-options.ts';
export { type WorkerSession, workerSession } from './worker-session.ts';
