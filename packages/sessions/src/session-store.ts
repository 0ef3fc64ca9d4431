import type { Page, PageRequest } from '@agent-killswitch/core';
import type { SessionPlace } from './session-place.ts';
import type { SessionRecord } from './session-record.ts';

export interface SessionRecordPage extends Page<SessionRecord> {
  /** Sessions of this page whose record cannot be read. */
  readonly damaged?: ReadonlyArray<{ readonly sessionId: string; readonly fault: string }>;
}

/**
 * Where sessions are listed and their last checkpoints kept. Only the host that runs a session puts its record, one call
 * after the other. Each call is given two seconds; then whoever waits for it is told that it failed. It may still end: a `put` that
 * ends after a later one is made good by another.
 */
export interface SessionStore {
  /** Stores the record over the session's earlier one. Resolves when it is as durable as this store makes it. */
  put(record: SessionRecord): Promise<void>;

  get(sessionId: string): Promise<SessionRecord | undefined>;

  /**
   * A page of the sessions of a workspace, or of all, in the order of their places (`placeOf`), the newest first. A cursor is a
   * place, whether a session stands there or not: those before it are meant. A page may
   * have fewer than `limit` and still have a cursor, so that its work and its size stay bounded whatever is kept.
   */
  list(page: PageRequest, workspaceId?: string): Promise<SessionRecordPage>;

  /** Forgets a session that is over, also if its record cannot be read. One that is not there is none to forget. */
  remove(session: SessionPlace): Promise<void>;
}
