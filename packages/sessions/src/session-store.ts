import type { Page, PageRequest } from '@agent-killswitch/core';
import type { SessionRecord } from './session-record.ts';

/**
 * Where sessions are listed and their last checkpoints kept. Only the host that runs a session puts its record, one call
 * after the other. Each call is given two seconds; then whoever waits for it is told that it failed, and it may still end.
 */
export interface SessionStore {
  /** Stores the record over the session's earlier one. Resolves when it is as durable as this store makes it. */
  put(record: SessionRecord): Promise<void>;

  get(sessionId: string): Promise<SessionRecord | undefined>;

  /** A page of the sessions of a workspace, or of all, the newest first. A cursor is only good for the same question. */
  list(page: PageRequest, workspaceId?: string): Promise<Page<SessionRecord>>;
}
