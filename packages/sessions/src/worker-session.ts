import { MessagePort, workerData } from 'node:worker_threads';
import type { WorkerAgentData } from '@agent-killswitch/adapter-process';
import { InvalidInputError } from '@agent-killswitch/core';
import { checkpointJson } from './checkpoint-json.ts';
import type { SessionContext } from './sessions.ts';
import { answerSchema, faultOf } from './worker-checkpoints.ts';

/** What `startWorker` gives to its thread. */
export interface GivenToWorker {
  /** The URL of what it runs. */
  readonly file: string;
  readonly data: unknown;
  /** For checkpoints and the answers to them. */
  readonly port: MessagePort;
  readonly maxBytes: number;
}

export interface WorkerSession extends SessionContext {
  /** What `startWorker` was given as `data`. */
  readonly data: unknown;
}

/**
 * In a file that `startWorker` runs: the session that this thread is. To be called once.
 * @throws InvalidInputError anywhere else
 */
export function workerSession(): WorkerSession {
  const { agentId, signal, data: given } = (workerData ?? {}) as WorkerAgentData;
  const { data, port, maxBytes } = (given ?? {}) as Partial<GivenToWorker>;
  if (!(port instanceof MessagePort) || maxBytes === undefined)
    throw new InvalidInputError('worker', ['this is no thread that startWorker has started']);

  const waiting = new Map<number, { resolve: () => void; reject: (error: unknown) => void }>();
  let count = 0;
  port.on('message', (message) => {
    const { number, fault } = answerSchema.parse(message);
    const told = waiting.get(number);
    waiting.delete(number);
    if (waiting.size === 0) port.unref();
    if (fault === undefined) told?.resolve();
    else told?.reject(faultOf(fault));
  });
  // The thread ends when its work is done, and not before its checkpoints are stored.
  port.unref();

  // One is on its way at a time, and of those that come meanwhile only the newest is next: each one costs the host a turn (I12).
  let next: { json: string; done: PromiseWithResolvers<void> } | undefined;
  let isSending = false;
  const send = async (): Promise<void> => {
    isSending = true;
    for (let one = next; one !== undefined; one = next) {
      const { json, done } = one;
      next = undefined;
      await new Promise<void>((resolve, reject) => {
        count += 1;
        waiting.set(count, { resolve, reject });
        port.ref();
        port.postMessage({ number: count, json });
      }).then(done.resolve, done.reject);
    }
    isSending = false;
  };
  const save = (json: string): Promise<void> => {
    const done = next?.done ?? Promise.withResolvers<void>();
    next = { json, done };
    if (!isSending) void send();
    return done.promise;
  };
  return {
    sessionId: agentId,
    signal,
    data,
    checkpoint(value) {
      const saved = (async () => save(checkpointJson(value, maxBytes)))();
      saved.catch(() => undefined);
      return saved;
    },
  };
}
