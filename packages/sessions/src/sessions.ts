import type { WorkerAgentOptions } from '@agent-killswitch/adapter-process';
import type { KillRequest, NewAgent, OrderReport, StopRequest } from '@agent-killswitch/core';
import type { Session } from './session.ts';
import type { SessionPage, SessionQuery } from './session-reader.ts';

/** Whose a session is. `taskId` defaults to the session's own id; `parentId` is a session or agent that it dies with. */
export type SessionFacts = Pick<NewAgent, 'workspaceId' | 'ownerId'> &
  Partial<Pick<NewAgent, 'taskId' | 'parentId' | 'agentType'>>;

export interface SessionContext {
  readonly sessionId: string;
  /**
   * Aborts when the session is told to end; `signal.reason` is an `AgentStoppedError`. A task that does not heed it cannot be
   * forced by anybody.
   */
  readonly signal: AbortSignal;
  /**
   * Keeps the value, as it is now, in place of the last one. Resolves when it is stored. Nobody has to wait for it: what it
   * rejects with ends no process.
   * @throws CheckpointNotSerialisableError, CheckpointTooLargeError, SessionOverError, SessionStoreError
   */
  readonly checkpoint: (value: unknown) => Promise<void>;
}

export type SessionTask<T> = (context: SessionContext) => Promise<T>;

export interface StartedSession<T> {
  readonly sessionId: string;
  /** How its task ended, once that is stored. Never rejects. */
  readonly ended: Promise<PromiseSettledResult<T>>;
}

export interface WorkerSessionFacts extends SessionFacts {
  /** Cloned into the worker: `workerSession().data`. */
  readonly data?: unknown;
  /** Further options of the thread, such as `resourceLimits`. */
  readonly worker?: Omit<WorkerAgentOptions, 'agentId' | 'data' | 'transferList' | 'eval'>;
}

/** Agents that are tasks of this process. A session is an agent of the killswitch, with the session's id for its own. */
export interface Sessions {
  /**
   * Runs a task as a session. Resolves when it is under way and can be killed.
   * @throws AgentExistsError (an id is never used twice), SessionStoreError, and whatever `Killswitch.admit` throws: the task
   *   was not started
   */
  start<T>(sessionId: string, facts: SessionFacts, task: SessionTask<T>): Promise<StartedSession<T>>;

  /**
   * Like `start`, in a thread of its own, which a kill ends whatever it does. The file calls `workerSession()`.
   * @throws also SpawnFailedError, InvalidConfigurationError (no `workers` among the options)
   */
  startWorker(
    sessionId: string,
    facts: WorkerSessionFacts,
    file: string | URL,
  ): Promise<StartedSession<undefined>>;

  /**
   * Kills a session, wherever it runs: the report of the stop, or `false` if there is none that could be killed, since the id is
   * unknown, foreign (I11), of an agent that is no session, or of a session that is over.
   * @throws ForbiddenError, InvalidInputError, StateUnavailableError (it is not of this host, and nobody can be asked)
   */
  kill(sessionId: string, request: StopRequest): Promise<OrderReport | false>;

  /**
   * Kills all sessions of all hosts, or, with `workspaceId`, whatever runs in that workspace. The report's `killed` says how many were seen dead.
   * @throws ForbiddenError, InvalidInputError
   */
  killAll(request: KillRequest & { readonly workspaceId?: string }): Promise<OrderReport>;

  /** A session in any status. Asks for no principal. @throws StateUnavailableError, SessionStoreError */
  get(sessionId: string): Promise<Session | undefined>;

  /** A page of sessions in any status, the newest first. Asks for no principal. @throws like `get`, InvalidInputError */
  list(query?: SessionQuery): Promise<SessionPage>;

  /**
   * Forgets a session that is over: it is listed no more, and has no checkpoint. That it ran, and how it ended, stays in the
   * killswitch's state and on its record. `false`: there is none, or it is not over. Asks for no principal.
   * @throws StateUnavailableError, SessionStoreError
   */
  forget(sessionId: string): Promise<boolean>;

  /**
   * Waits until every session of this process is over and its last checkpoint stored; stops nobody. For the `close` of
   * `installShutdownHandlers`, so that a lost checkpoint is a fault of the shutdown.
   * @throws SessionStoreError if the last checkpoint of any session of this process could not be stored
   */
  close(): Promise<void>;
}
