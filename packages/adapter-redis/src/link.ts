import { randomUUID } from 'node:crypto';
import { checkMode, type RedisClient } from './client.ts';
import { recordVersion } from './envelope.ts';
import { StateBusyError, StateClosedError, StateLostError, StateRecordError } from './errors.ts';
import { failureOf, isReply } from './failure.ts';
import type { Keys } from './keys.ts';
import { allScripts } from './lua/all-scripts.ts';
import { openStore } from './lua/open-store.ts';
import type { Script } from './script.ts';

/** Which state the client knows, and how far it had come. */
interface Known {
  readonly id: string;
  readonly epoch: number;
  readonly seq: number;
}

/**
 * The one way to the server. Scripts run by their name and, where the server has forgotten it, by their source: a script
 * that was not found has not run, so that nothing is done twice. What waits for an answer is bounded (I12).
 */
export class Link {
  readonly keys: Keys;
  private readonly client: RedisClient;
  private readonly maxPendingBytes: number;
  private known: Known | undefined;
  /** Of the state that has lost something: what is there goes on under another id. */
  private readonly lostId: string;
  private opening: Promise<Known> | undefined;
  private pendingBytes = 0;
  private isClosed = false;

  constructor(client: RedisClient, keys: Keys, maxPendingBytes: number, lostId = '') {
    this.client = client;
    this.keys = keys;
    this.maxPendingBytes = maxPendingBytes;
    this.lostId = lostId;
  }

  /** Runs a script of `script()`: `keys` come after the store's, `args` after its id and epoch. */
  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    // Without a turn of the event loop in between where it can be, so that the server works while the next call is made.
    const { id, epoch, seq } = this.known ?? (await this.open());
    return this.evaluate(script, [this.keys.store, ...keys], [id, `${epoch} ${seq}`, ...args]);
  }

  /** The state was seen at this epoch, or this sequence number: from now on an older one is a lost one. */
  note(seen: { readonly epoch?: number; readonly seq?: number }): void {
    const { known } = this;
    if (known === undefined) return;
    const [epoch, seq] = [Math.max(known.epoch, seen.epoch ?? 0), Math.max(known.seq, seen.seq ?? 0)];
    if (epoch > known.epoch || seq > known.seq) this.known = { ...known, epoch, seq };
  }

  /**
   * What the server holds has gone another way than what was seen of it: nothing of it is taken until this host has put back
   * what it knows, however far others have brought it by then.
   */
  lose(): StateLostError {
    if (this.known !== undefined) this.known = { ...this.known, epoch: Number.MAX_SAFE_INTEGER };
    return new StateLostError('The server lacks a gate that was seen there: it lost part of its state');
  }

  /** Several strings at once; `null` for one that is not there, or is none. */
  async readMany(keys: readonly string[]): Promise<(string | null)[]> {
    if (keys.length === 0) return [];
    return this.send(64 * keys.length, [], () => this.client.mget(...keys));
  }

  /** The same way to whatever state is there now. */
  anew(): Link {
    return new Link(this.client, this.keys, this.maxPendingBytes, this.known?.id);
  }

  /** Goes on with the state that another link has come to know. */
  async goOnWith(link: Link): Promise<void> {
    this.known = link.known ?? (await link.open());
  }

  close(): void {
    this.isClosed = true;
  }

  /** What state is there; a new one is begun where there is none. */
  private open(): Promise<Known> {
    this.opening ??= this.openNow().finally(() => {
      this.opening = undefined;
    });
    return this.opening;
  }

  private async openNow(): Promise<Known> {
    // Known before they are needed, so that the first stop does not wait twice. Whether it worked is seen then.
    for (const { source } of allScripts) this.client.script('LOAD', source).catch(() => {});
    const answer = await this.evaluate(
      openStore,
      [this.keys.store],
      [randomUUID(), String(recordVersion), this.lostId],
    );
    const [id, epoch, seq] = answer as [string, string, string];
    this.known = { id, epoch: Number(epoch), seq: Number(seq) };
    return this.known;
  }

  private evaluate(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const { client } = this;
    let bytes = 200;
    for (const each of keys) bytes += each.length;
    for (const each of args) bytes += each.length;
    return this.send(bytes, keys, async () => {
      try {
        return await client.evalsha(script.sha, keys.length, ...keys, ...args);
      } catch (error) {
        if (!isReply(error, 'NOSCRIPT')) throw error;
        return await client.eval(script.source, keys.length, ...keys, ...args);
      }
    });
  }

  private async send<T>(bytes: number, keys: readonly string[], call: () => Promise<T>): Promise<T> {
    if (this.isClosed) throw new StateClosedError('This state store is closed');
    checkMode(this.client);
    if (this.pendingBytes > 0 && this.pendingBytes + bytes > this.maxPendingBytes) {
      throw new StateBusyError('The server does not answer, and too much waits for it already');
    }
    this.pendingBytes += bytes;
    try {
      return await call();
    } catch (error) {
      if (isReply(error, 'WRONGTYPE')) throw await this.wrongType(keys, error);
      const failure = failureOf(error);
      if (failure instanceof StateLostError) this.lose();
      throw failure;
    } finally {
      this.pendingBytes -= bytes;
    }
  }

  /** Finds the key that is not of the type it must have. */
  private async wrongType(keys: readonly string[], error: unknown): Promise<Error> {
    for (const key of new Set(keys)) {
      const type = await this.client.type(key);
      const wanted = this.keys.typeOf(key);
      if (type !== 'none' && type !== wanted)
        return new StateRecordError(key, `it is a ${type}, not a ${wanted}`);
    }
    return failureOf(error);
  }
}
