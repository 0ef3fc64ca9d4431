import { pathToFileURL } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import type { PromiseRuntime, WorkerRuntime } from '@agent-killswitch/adapter-process';
import { parseInput } from '@agent-killswitch/core';
import type { Enrolment } from './enrolment.ts';
import type { StartedSession, WorkerSessionFacts } from './sessions.ts';
import { startWorkerSchema } from './start-input.ts';
import { takeCheckpoints } from './worker-checkpoints.ts';
import type { GivenToWorker } from './worker-session.ts';

/**
 * Node reads whatever a thread sends to its `parentPort` in its host's event loop, and nothing can hold it back there (I5). Nobody
 * listens to a session's, so it is closed before the session's own file runs. As text, not as an option of Node: a thread that is given
 * options of its own inherits none of its process's.
 */
const entry = new URL(
  `data:text/javascript,${encodeURIComponent(
    "import { parentPort, workerData } from 'node:worker_threads'; parentPort.close(); await import(workerData.data.file);",
  )}`,
);

export interface WorkerHost {
  readonly enrolment: Enrolment;
  readonly promises: PromiseRuntime;
  readonly workers: WorkerRuntime;
  readonly maxBytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** See `Sessions.startWorker`. */
export async function startWorker(
  { enrolment, promises, workers, maxBytes, now }: WorkerHost,
  sessionId: string,
  given: WorkerSessionFacts,
  file: string | URL,
): Promise<StartedSession<undefined>> {
  const asked = parseInput('startWorker', startWorkerSchema, { sessionId, facts: given, file });
  const { data, worker: options = {}, ...facts } = asked.facts;
  const checkpoints = await enrolment.admit(sessionId, facts);
  // A stop may have claimed it while it was put on file: then none of its code runs (I1).
  if (await enrolment.orFail(sessionId, () => enrolment.isStopped(sessionId))) {
    const never = promises.spawnAgent(notBegun, { agentId: sessionId });
    return enrolment.enrol(sessionId, promises, never.handle, never.ended);
  }
  const { port1, port2 } = new MessageChannel();
  const { handle, worker, exited } = await enrolment.orFail(sessionId, () =>
    workers.spawnAgent(entry, {
      ...options,
      agentId: sessionId,
      data: {
        file: typeof file === 'string' ? pathToFileURL(file).href : file.href,
        ...{ data, port: port2, maxBytes },
      } satisfies GivenToWorker,
      transferList: [port2],
    }),
  );
  let breach: Error | undefined;
  const broken = (): void => {
    breach = new Error('It sent its host messages past checkpoint(), and was ended');
    void worker.terminate();
  };
  const takeRest = takeCheckpoints(port1, (json) => checkpoints.save(json, now()), maxBytes, broken);
  const ended = exited.then(async ({ exitCode, error }): Promise<PromiseSettledResult<undefined>> => {
    takeRest();
    await checkpoints.end();
    const fault = breach ?? error;
    if (exitCode === 0 && fault === undefined) return { status: 'fulfilled', value: undefined };
    return { status: 'rejected', reason: fault ?? new Error(`The worker exited with code ${exitCode}`) };
  });
  return enrolment.enrol(sessionId, workers, handle, ended);
}

/** Stands in for the thread, so that its death is seen as that of any other. */
async function notBegun(): Promise<never> {
  throw new Error('It was stopped before it began');
}
