import { MessageChannel } from 'node:worker_threads';
import type { WorkerRuntime } from '@agent-killswitch/adapter-process';
import { InvalidInputError } from '@agent-killswitch/core';
import type { Enrolment } from './enrolment.ts';
import type { StartedSession, WorkerSessionFacts } from './sessions.ts';
import { takeCheckpoints } from './worker-checkpoints.ts';

export interface WorkerHost {
  readonly enrolment: Enrolment;
  readonly workers: WorkerRuntime;
  readonly maxBytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** See `Sessions.startWorker`. */
export async function startWorker(
  { enrolment, workers, maxBytes, now }: WorkerHost,
  sessionId: string,
  given: WorkerSessionFacts,
  file: string | URL,
): Promise<StartedSession<undefined>> {
  if (typeof file !== 'string' && !(file instanceof URL))
    throw new InvalidInputError('file', ['must be a path or a URL']);
  const { data, worker = {}, ...facts } = given ?? {};
  const checkpoints = await enrolment.admit(sessionId, facts as WorkerSessionFacts);
  const { port1, port2 } = new MessageChannel();
  const { handle, exited } = await enrolment.orFail(sessionId, () =>
    workers.spawnAgent(file, {
      ...worker,
      agentId: sessionId,
      data: { data, port: port2 },
      transferList: [port2],
    }),
  );
  const takeRest = takeCheckpoints(port1, (json) => checkpoints.save(json, now()), maxBytes);
  const ended = exited.then(async ({ exitCode, error }): Promise<PromiseSettledResult<undefined>> => {
    takeRest();
    await checkpoints.end();
    if (exitCode === 0 && error === undefined) return { status: 'fulfilled', value: undefined };
    return { status: 'rejected', reason: error ?? new Error(`The worker exited with code ${exitCode}`) };
  });
  return enrolment.enrol(sessionId, workers, handle, ended);
}
