import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { describeError, isKillswitchError } from '@agent-killswitch/core';
import { z } from 'zod';
import { withinLimit } from './checkpoint-json.ts';
import {
  CheckpointNotSerialisableError,
  CheckpointTooLargeError,
  SessionOverError,
  SessionStoreError,
} from './errors.ts';

/** What a worker says to its host: a checkpoint, numbered so that the answer finds it. */
const toldSchema = z.strictObject({ number: z.number(), json: z.string() });
type Told = z.infer<typeof toldSchema>;

/** What the host says to its worker: stored, or why not. */
export const answerSchema = z.strictObject({
  number: z.number(),
  fault: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});
type Answer = z.infer<typeof answerSchema>;

const faults = [CheckpointNotSerialisableError, CheckpointTooLargeError, SessionOverError, SessionStoreError];

/** The error that an answer carries, as a worker's caller may act on it. */
export function faultOf({ code, message }: NonNullable<Answer['fault']>): Error {
  for (const Fault of faults) {
    const fault = new Fault(message);
    if (fault.code === code) return fault;
  }
  return new SessionStoreError(message);
}

/** `checkpoint()` has one message on its way at a time, and sends the next when that is answered. */
const mostUnanswered = 8;

/**
 * Takes a worker's checkpoints from its port, a few in each turn of the event loop. What it says is not trusted: at the first
 * message that `checkpoint()` would not send, and at more than it would, the port is closed and `broken` called (I5, I12).
 * @returns takes what has come and was not taken yet, for a worker that has exited, and closes the port
 */
export function takeCheckpoints(
  port: MessagePort,
  save: (json: string) => Promise<void>,
  maxBytes: number,
  broken: () => void,
): () => void {
  let unanswered = 0;
  let isOpen = true;
  const answer = async ({ number, json }: Told): Promise<Answer> => {
    try {
      await save(readable(withinLimit(json, maxBytes)));
      return { number };
    } catch (error) {
      const code = isKillswitchError(error) ? error.code : 'session-store';
      return {
        number,
        fault: { code, message: isKillswitchError(error) ? error.message : describeError(error) },
      };
    }
  };
  const reply = async (told: Told): Promise<void> => {
    unanswered += 1;
    port.postMessage(await answer(told));
    unanswered -= 1;
  };
  /** Whether `checkpoint()` may have sent it. */
  const take = (message: unknown): boolean => {
    const told = toldSchema.safeParse(message);
    if (!told.success || told.data.json.length > maxBytes || unanswered >= mostUnanswered) return false;
    void reply(told.data);
    return true;
  };
  const takeWaiting = (): boolean => {
    for (let taken = 0; taken < mostUnanswered; taken++) {
      const left = receiveMessageOnPort(port);
      if (left === undefined) return true;
      if (!take(left.message)) return false;
    }
    return false;
  };
  const close = (): void => {
    isOpen = false;
    port.close();
  };
  const listen = (): void => {
    if (!isOpen) return;
    // Without a listener the port keeps what comes, and holds nobody up.
    port.once('message', (message) => {
      if (take(message) && takeWaiting()) {
        setImmediate(listen);
      } else {
        close();
        broken();
      }
    });
    // A worker keeps its host alive, its checkpoints do not.
    port.unref();
  };
  listen();
  return () => {
    if (isOpen) takeWaiting();
    close();
  };
}

/** @throws CheckpointNotSerialisableError */
function readable(json: string): string {
  try {
    JSON.parse(json);
    return json;
  } catch (cause) {
    throw new CheckpointNotSerialisableError('A checkpoint has to be JSON', { cause });
  }
}
