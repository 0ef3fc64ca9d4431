import {
  InvalidConfigurationError,
  InvalidInputError,
  idSchema,
  isKillswitchError,
  type Killswitch,
  parseInput,
  principalSchema,
  reasonSchema,
} from '@agent-killswitch/core';
import { z } from 'zod';
import { checkpointJson } from './checkpoint-json.ts';
import { Enrolment } from './enrolment.ts';
import { Retention } from './retention.ts';
import { SessionReader } from './session-reader.ts';
import type { Sessions } from './sessions.ts';
import { type SessionsOptions, settingsOf } from './sessions-options.ts';
import { startSchema } from './start-input.ts';
import { startWorker } from './start-worker.ts';

/** A `StopRequest`. */
const killSchema = z.strictObject({
  principal: principalSchema,
  reason: reasonSchema,
  waitMs: z.number().int().nonnegative().optional(),
});

/** @throws InvalidConfigurationError listing every fault in the options. */
export function createSessions(ks: Killswitch, options: SessionsOptions): Sessions {
  const settings = settingsOf(ks, options);
  const { promises, workers, clock, store, backendId, maxCheckpointBytes: maxBytes } = settings;
  const reader = new SessionReader(ks, store, backendId);
  const enrolment = new Enrolment(ks, store, backendId);
  const retention = new Retention({ reader, stored: (id) => enrolment.stored(id), ...settings });
  const now = (): number => clock.now();

  return {
    async start(sessionId, facts, task) {
      const asked = parseInput('start', startSchema, { sessionId, facts, task });
      const checkpoints = await enrolment.admit(sessionId, asked.facts);
      retention.tend();
      const checkpoint = (value: unknown): Promise<void> => {
        const saved = (async () => checkpoints.save(checkpointJson(value, maxBytes), now()))();
        // One that nobody waits for, said by what a session has left behind, must not end the process.
        saved.catch(() => undefined);
        return saved;
      };
      const begun = Promise.withResolvers<void>();
      begun.promise.catch(() => undefined);
      // A stop may have claimed it while it was put on file: then none of the task's code runs (I1).
      const { handle, ended } = promises.spawnAgent(
        async ({ signal }) => {
          await begun.promise;
          signal.throwIfAborted();
          try {
            return await task({ sessionId, signal, checkpoint });
          } finally {
            await checkpoints.end();
          }
        },
        { agentId: sessionId },
      );
      return enrolment.enrol(sessionId, promises, handle, ended, begun);
    },

    async startWorker(sessionId, facts, file) {
      if (workers === undefined)
        throw new InvalidConfigurationError(['createSessions workers: startWorker needs a workerRuntime()']);
      const started = await startWorker(
        { enrolment, promises, workers, maxBytes, now },
        sessionId,
        facts,
        file,
      );
      retention.tend();
      return started;
    },

    async kill(sessionId, request) {
      if (!idSchema.safeParse(sessionId).success) return false;
      // Before anything is looked up: what is wrong with it must not tell who there is (I11).
      const asked = parseInput('request', killSchema, request);
      try {
        return (
          (await reader.agentOf(sessionId)) !== undefined && (await ks.kill({ agent: sessionId }, asked))
        );
      } catch (error) {
        const isNone =
          isKillswitchError(error, 'unknown-target') || isKillswitchError(error, 'invalid-transition');
        if (isNone) return false;
        throw error;
      }
    },

    async killAll(given) {
      if (typeof (given ?? {}) !== 'object')
        throw new InvalidInputError('killAll', ['must be an object with principal and reason']);
      const { workspaceId, ...request } = given ?? {};
      // A query that lacks it must not come to mean everybody.
      if (workspaceId === undefined && 'workspaceId' in (given ?? {}))
        throw new InvalidInputError('killAll', [
          'workspaceId: is undefined; leave it out to mean all sessions',
        ]);
      return ks.kill(
        workspaceId === undefined ? { backend: backendId } : { workspace: workspaceId },
        request,
      );
    },

    async close() {
      await enrolment.close().finally(() => retention.close());
    },
    forget: async (sessionId) => idSchema.safeParse(sessionId).success && retention.forget(sessionId),
    get: (sessionId) => reader.get(sessionId),
    list: (query = {}) => reader.list(query),
  };
}
