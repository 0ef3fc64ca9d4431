import type { PromiseRuntime, WorkerRuntime } from '@agent-killswitch/adapter-process';
import { type Clock, InvalidConfigurationError, idSchema, systemClock } from '@agent-killswitch/core';
import { killswitchFaults } from './killswitch-faults.ts';
import { memorySessions } from './memory-sessions.ts';
import type { SessionStore } from './session-store.ts';

const longestCheckpoint = 16 * 2 ** 20;
const thirtyDays = 30 * 24 * 60 * 60 * 1_000;

export interface SessionsOptions {
  /** The runtime that tasks run in; the killswitch has to be given it too, under its name (`promise`). */
  readonly promises: PromiseRuntime;
  /** The runtime for `startWorker`, likewise (`worker`). Default: none, and no workers. */
  readonly workers?: WorkerRuntime;
  /** Where sessions are listed and checkpoints kept. Default: `memorySessions()`, which ends with this process. */
  readonly store?: SessionStore;
  /** The backend that sessions are on: what `killAll` and `ks.revokeBackend` aim at. The same on every host. Default `sessions`. */
  readonly backendId?: string;
  /** The largest checkpoint, as JSON, in bytes. Default 262,144. */
  readonly maxCheckpointBytes?: number;
  /**
   * How long a session is kept after its end, with its last checkpoint, in milliseconds; `Infinity`: for ever. It is then forgotten
   * when others start. Default: 30 days.
   */
  readonly keepEndedMs?: number;
  /** The killswitch's. Default: the machine's. */
  readonly clock?: Clock;
}

export type SessionsSettings = Required<Omit<SessionsOptions, 'workers'>> & {
  readonly workers: WorkerRuntime | undefined;
};

/** @throws InvalidConfigurationError listing every fault. */
export function settingsOf(ks: unknown, options: SessionsOptions): SessionsSettings {
  const { promises, workers, clock = systemClock, store = memorySessions() } = options ?? {};
  const { backendId = 'sessions', maxCheckpointBytes = 262_144, keepEndedMs = thirtyDays } = options ?? {};
  const settings = { promises, workers, clock, store, backendId, maxCheckpointBytes, keepEndedMs };
  const faults = killswitchFaults(ks);
  for (const key of Object.keys(options ?? {})) if (!(key in settings)) faults.push(`${key}: is no option`);
  if (typeof promises?.spawnAgent !== 'function') faults.push('promises: must be a promiseRuntime()');
  if (workers !== undefined && typeof workers?.spawnAgent !== 'function')
    faults.push('workers: must be a workerRuntime()');
  if ([store?.put, store?.get, store?.list, store?.remove].some((each) => typeof each !== 'function'))
    faults.push('store: must have put, get, list and remove');
  if (!idSchema.safeParse(backendId).success) faults.push('backendId: must be an id');
  if (
    !Number.isInteger(maxCheckpointBytes) ||
    maxCheckpointBytes < 1 ||
    maxCheckpointBytes > longestCheckpoint
  )
    faults.push(`maxCheckpointBytes: must be a whole number from 1 to ${longestCheckpoint}`);
  if (typeof keepEndedMs !== 'number' || !(keepEndedMs >= 0))
    faults.push('keepEndedMs: must be a number of milliseconds, 0 or more');
  if (typeof clock?.now !== 'function') faults.push('clock: must be a clock');
  if (faults.length > 0)
    throw new InvalidConfigurationError(faults.map((fault) => `createSessions ${fault}`));
  return settings;
}
