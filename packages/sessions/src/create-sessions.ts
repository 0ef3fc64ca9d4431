import { MessageChannel } from 'node:worker_threads';
import type { HostedRuntime } from '@agent-killswitch/adapter-process';
import {
  type Handle,
  InvalidConfigurationError,
  InvalidInputError,
  idSchema,
  isKillswitchError,
  type Killswitch,
  systemClock,
} from '@agent-killswitch/core';
import { checkpointJson } from './checkpoint-json.ts';
import { Checkpoints } from './checkpoints.ts';
import { memorySessions } from './memory-sessions.ts';
import { SessionReader } from './session-reader.ts';
import type { SessionFacts, Sessions, SessionsOptions, StartedSession } from './sessions.ts';
import { takeCheckpoints } from './worker-checkpoints.ts';

const longestCheckpoint = 16 * 2 ** 20;

/** @throws InvalidConfigurationError */
export function createSessions(ks: Killswitch, options: SessionsOptions): Sessions {
  const { promises, workers, clock = systemClock, store = memorySessions() } = options;
  const { backendId = 'sessions', maxCheckpointBytes: maxBytes = 262_144 } = options;
  check(options, backendId, maxBytes);
  const reader = new SessionReader(ks, store, backendId);

  /** Nothing runs yet. */
  async function admit(sessionId: string, facts: SessionFacts): Promise<Checkpoints> {
    const { workspaceId, ownerId, taskId = sessionId, ...more } = facts;
    const agent = await ks.admit({
      ...more,
      ...{ agentId: sessionId, sessionIds: [sessionId], taskId, workspaceId, ownerId, backendId },
    });
    const checkpoints = new Checkpoints(store, { sessionId, workspaceId, startedAt: agent.spawnedAt });
    await orFail(sessionId, () => checkpoints.begin());
    return checkpoints;
  }

  async function orFail<T>(sessionId: string, work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await ks.failed(sessionId, error);
      throw error;
    }
  }

  /** Has the killswitch know what runs now, and later that it is over. */
  async function enrol<T>(
    sessionId: string,
    runtime: HostedRuntime,
    handle: Handle,
    ended: Promise<PromiseSettledResult<T>>,
  ): Promise<StartedSession<T>> {
    const enrolled = ks.running(sessionId, [handle]);
    const told = ended.then(async (end) => {
      await enrolled.catch(() => undefined);
      const tell = end.status === 'fulfilled' ? ks.completed(sessionId) : ks.failed(sessionId, end.reason);
      await tell.catch((error: unknown) => {
        process.emitWarning(`The end of session "${sessionId}" could not be stored: ${String(error)}`);
      });
      return end;
    });
    try {
      await enrolled;
    } catch (error) {
      await runtime.kill(handle, { agentId: sessionId, signal: new AbortController().signal });
      throw error;
    }
    return { sessionId, ended: told };
  }

  return {
    async start(sessionId, facts, task) {
      if (typeof task !== 'function') throw new InvalidInputError('task', ['must be a function']);
      const checkpoints = await admit(sessionId, facts);
      const checkpoint = (value: unknown): Promise<void> => {
        const saved = (async () => checkpoints.save(checkpointJson(value, maxBytes), clock.now()))();
        // One that nobody waits for, said by what a session has left behind, must not end the process.
        saved.catch(() => undefined);
        return saved;
      };
      const { handle, ended } = promises.spawnAgent(
        async ({ signal }) => {
          try {
            return await task({ sessionId, signal, checkpoint });
          } finally {
            await checkpoints.end();
          }
        },
        { agentId: sessionId },
      );
      return enrol(sessionId, promises, handle, ended);
    },

    async startWorker(sessionId, { data, worker = {}, ...facts }, file) {
      if (workers === undefined)
        throw new InvalidConfigurationError(['createSessions: startWorker needs the option workers']);
      const checkpoints = await admit(sessionId, facts);
      const { port1, port2 } = new MessageChannel();
      const spawned = await orFail(sessionId, () =>
        workers.spawnAgent(file, {
          ...worker,
          agentId: sessionId,
          data: { data, port: port2 },
          transferList: [port2],
        }),
      );
      const takeRest = takeCheckpoints(port1, (json) => checkpoints.save(json, clock.now()), maxBytes);
      const ended = spawned.exited.then(
        async ({ exitCode, error }): Promise<PromiseSettledResult<undefined>> => {
          takeRest();
          await checkpoints.end();
          if (exitCode === 0 && error === undefined) return { status: 'fulfilled', value: undefined };
          return {
            status: 'rejected',
            reason: error ?? new Error(`The worker exited with code ${exitCode}`),
          };
        },
      );
      return enrol(sessionId, workers, spawned.handle, ended);
    },

    async kill(sessionId, request) {
      if (!idSchema.safeParse(sessionId).success) return false;
      try {
        return await ks.kill({ agent: sessionId }, request);
      } catch (error) {
        const isNone =
          isKillswitchError(error, 'unknown-target') || isKillswitchError(error, 'invalid-transition');
        if (isNone) return false;
        throw error;
      }
    },

    killAll: ({ workspaceId, ...request }) =>
      ks.kill(workspaceId === undefined ? { backend: backendId } : { workspace: workspaceId }, request),

    get: (sessionId) => reader.get(sessionId),
    list: (query = {}) => reader.list(query),
  };
}

function check({ promises, workers }: SessionsOptions, backendId: string, maxBytes: number): void {
  const faults: string[] = [];
  if (typeof promises?.spawnAgent !== 'function') faults.push('promises: must be a promiseRuntime()');
  if (workers !== undefined && typeof workers.spawnAgent !== 'function')
    faults.push('workers: must be a workerRuntime()');
  if (!idSchema.safeParse(backendId).success) faults.push('backendId: must be an id');
  if (!Number.isInteger(maxBytes) || maxBytes < 1 || maxBytes > longestCheckpoint)
    faults.push(`maxCheckpointBytes: must be a whole number from 1 to ${longestCheckpoint}`);
  if (faults.length > 0)
    throw new InvalidConfigurationError(faults.map((fault) => `createSessions ${fault}`));
}
