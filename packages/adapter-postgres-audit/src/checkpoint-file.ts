import type { KeyObject } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import {
  type AuditSink,
  describeError,
  InvalidConfigurationError,
  InvalidInputError,
  isKillswitchError,
  type PartitionHead,
} from '@agent-killswitch/core';
import { readCheckpoint, signCheckpoint } from './checkpoint.ts';
import { type PublicKeys, requireSigningKey } from './keys.ts';

export interface CheckpointOptions {
  /** Ed25519, as `createPrivateKey(pem)` makes it. Keep it where the database's administrators cannot get it. */
  readonly privateKey: KeyObject;
  /** A checkpoint is made every so many milliseconds. Default an hour. */
  readonly everyMs?: number;
  /** Told when a checkpoint could not be made. Default: one line on stderr. What it throws is ignored. */
  readonly onError?: (error: unknown) => void;
}

export interface Checkpoints {
  /** Makes one now, for example at each emergency stop; resolves when it is durable. @throws what the sink or the file says */
  make(): Promise<void>;
  /** Makes none any more. */
  stop(): void;
}

const longestMs = 2_147_483_647;
const lineFeed = 0x0a;

/**
 * Writes signed checkpoints of a sink's chains to the end of a file: put it where whoever can change the database cannot
 * write. The first one is made after `everyMs`.
 * @throws InvalidConfigurationError
 */
export function writeCheckpoints(
  sink: Pick<AuditSink, 'heads'>,
  path: string,
  { privateKey, everyMs = 3_600_000, onError = complain }: CheckpointOptions,
): Checkpoints {
  requireSigningKey('writeCheckpoints', privateKey);
  // A timer takes what is longer, or no number, for a millisecond.
  if (!Number.isInteger(everyMs) || everyMs < 1 || everyMs > longestMs)
    throw new InvalidConfigurationError([`writeCheckpoints everyMs: must be 1 to ${longestMs}`]);
  /** One after the other: lines never mix. */
  let last: Promise<void> = Promise.resolve();
  const make = (): Promise<void> => {
    const next = last.then(async () =>
      append(path, signCheckpoint(await sink.heads(), privateKey, new Date())),
    );
    last = next.catch(() => {});
    return next;
  };
  const timer = setInterval(() => {
    make().catch((error: unknown) => {
      try {
        onError(error);
      } catch {
        // A listener never stops the checkpoints.
      }
    });
  }, everyMs);
  timer.unref();
  return { make, stop: () => clearInterval(timer) };
}

/**
 * Every chain end that the checkpoints of a file name, for `verifyDatabase`.
 * @throws InvalidInputError naming the line that is no checkpoint of these keys, or if there is none at all
 */
export async function readCheckpoints(path: string, keys: PublicKeys): Promise<PartitionHead[]> {
  const heads = new Map<string, PartitionHead>();
  let isAny = false;
  const lines = (await readFile(path, 'utf8')).split('\n');
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    isAny = true;
    for (const head of headsIn(line, keys, `${path} line ${index + 1}`))
      heads.set(`${head.partition} ${head.seq} ${head.hash}`, head);
  }
  // Whoever is held against an empty file would look whole.
  if (!isAny) throw new InvalidInputError(`checkpoints in ${path}`, ['there is none']);
  return [...heads.values()];
}

function headsIn(line: string, keys: PublicKeys, where: string): readonly PartitionHead[] {
  try {
    return readCheckpoint(line, keys).heads;
  } catch (error) {
    if (!isKillswitchError(error, 'invalid-input')) throw error;
    throw new InvalidInputError(`checkpoint in ${where}`, (error as InvalidInputError).issues);
  }
}

async function append(path: string, checkpoint: unknown): Promise<void> {
  const file = await open(path, 'a+', 0o600);
  try {
    // Half a line, of a disk that was full or a crash, must not spoil this one.
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(1, lineFeed), 0, 1, Math.max(0, size - 1));
    await file.appendFile(`${buffer[0] === lineFeed ? '' : '\n'}${JSON.stringify(checkpoint)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

function complain(error: unknown): void {
  console.error(`agent-killswitch audit: no checkpoint: ${describeError(error)}`);
}
