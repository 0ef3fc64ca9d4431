import { InvalidConfigurationError } from '@agent-killswitch/core';
import { z } from 'zod';
import { webhookTypes } from './event-types.ts';
import type { Message } from './message.ts';

/** A message that an endpoint did not get. */
export const deadLetterSchema = z.strictObject({
  /** `<endpoint>/<webhook-id>` */
  letterId: z.string().min(1).max(200),
  /** The endpoint's name. */
  endpoint: z.string().min(1).max(128),
  messageId: z.string().min(1).max(64),
  type: z.enum(webhookTypes as [(typeof webhookTypes)[number], ...typeof webhookTypes]),
  /** What would have been sent: sent again, it is signed anew under the same id. */
  body: z.string(),
  tries: z.number().int().nonnegative(),
  /** Why it was given up. */
  error: z.string(),
  /** When, in milliseconds since the Unix epoch. */
  deadAt: z.number().int().nonnegative(),
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;

export function letterIdOf(endpoint: string, { id }: Pick<Message, 'id'>): string {
  return `${endpoint}/${id}`;
}

export function letterOf(
  endpoint: string,
  message: Message,
  end: Pick<DeadLetter, 'tries' | 'error' | 'deadAt'>,
): DeadLetter {
  const { id: messageId, type, body } = message;
  return { letterId: letterIdOf(endpoint, message), endpoint, messageId, type, body, ...end };
}

/** Where dead letters are kept. Bounded: past its bound the oldest give way. No delivery waits for it. */
export interface DeadLetters {
  /** Keeps letters; one with an id that is there takes its place. */
  add(letters: readonly DeadLetter[]): Promise<void>;
  /** The oldest first. */
  list(): Promise<readonly DeadLetter[]>;
  /** Ids that are not there are left alone. */
  remove(letterIds: readonly string[]): Promise<void>;
}

/** Kept as long as the process lives. `most`: default 1,000. @throws InvalidConfigurationError */
export function memoryDeadLetters(most = 1_000): DeadLetters {
  const faults = faultsOfMost(most);
  if (faults.length > 0)
    throw new InvalidConfigurationError(faults.map((fault) => `memoryDeadLetters ${fault}`));
  const kept = new Map<string, DeadLetter>();
  return {
    async add(letters) {
      put(kept, letters, most);
    },
    async list() {
      return [...kept.values()];
    },
    async remove(letterIds) {
      for (const letterId of letterIds) kept.delete(letterId);
    },
  };
}

/** What is wrong with a bound of dead letters. */
export function faultsOfMost(most: number): string[] {
  return Number.isInteger(most) && most >= 1 && most <= 100_000 ? [] : ['most: must be 1 to 100,000'];
}

/** Adds the newest and lets the oldest go. */
export function put(kept: Map<string, DeadLetter>, letters: readonly DeadLetter[], most: number): void {
  for (const letter of letters) {
    kept.delete(letter.letterId);
    kept.set(letter.letterId, letter);
  }
  for (const oldest of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(oldest);
  }
}
