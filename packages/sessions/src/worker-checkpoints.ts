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

/**
 * Takes a worker's checkpoints from its port. What it says is not trusted: what is no checkpoint is dropped.
 * @returns takes what has come and was not taken yet, for a worker that has exited, and closes the port
 */
export function takeCheckpoints(
  port: MessagePort,
  save: (json: string) => Promise<void>,
  maxBytes: number,
): () => void {
  const take = async (message: unknown): Promise<void> => {
    const told = toldSchema.safeParse(message);
    if (told.success) port.postMessage(await answer(told.data));
  };
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
  port.on('message', (message) => void take(message));
  // A worker keeps its host alive, its checkpoints do not.
  port.unref();
  return () => {
    for (let left = receiveMessageOnPort(port); left !== undefined; left = receiveMessageOnPort(port))
      void take(left.message);
    port.close();
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
