import type { RedisClient } from './client.ts';

/** So long others may not hear that an agent runs or has ended by itself, which keeps no stop waiting. */
const laterMs = 100;

/**
 * Hears of changes by others on the channel: a hint and nothing more. It has a connection of its own, made from the
 * client's settings while somebody watches, since a subscribed one takes no other commands.
 */
export class EventChannel {
  private readonly client: RedisClient;
  private readonly channel: string;
  private readonly self: string;
  private readonly watchers = new Set<{ readonly changed: () => void }>();
  private connection: RedisClient | undefined;
  private isClosed = false;
  /** Tells of what can wait. */
  private later: NodeJS.Timeout | undefined;

  /** @param self what this client's own messages say they are from: it needs no hint of those */
  constructor(client: RedisClient, channel: string, self: string) {
    this.client = client;
    this.channel = channel;
    this.self = self;
  }

  add(changed: () => void): () => void {
    if (this.isClosed) return () => {};
    const watcher = { changed };
    this.watchers.add(watcher);
    this.connection ??= this.subscribe();
    return () => {
      this.watchers.delete(watcher);
      if (this.watchers.size === 0) this.end();
    };
  }

  close(): void {
    this.isClosed = true;
    this.watchers.clear();
    this.end();
  }

  private end(): void {
    clearTimeout(this.later);
    this.later = undefined;
    this.connection?.disconnect();
    this.connection = undefined;
  }

  private subscribe(): RedisClient {
    const connection = duplicateOf(this.client);
    // Whoever uses the store is told of its faults by that call; the driver connects again by itself.
    connection.on('error', () => {});
    connection.on('message', (channel: string, message: string) => {
      if (channel === this.channel) this.hear(message);
    });
    // A cluster's client subscribes again by itself when its connection is back. The other one does so too, but a refusal
    // that it meets then is nobody's to catch, and ends the process.
    if ('mode' in connection) connection.on('ready', () => this.subscribeOn(connection));
    else this.subscribeOn(connection);
    return connection;
  }

  private subscribeOn(connection: RedisClient): void {
    // What was missed while not subscribed is noticed at once.
    connection.subscribe(this.channel).then(
      () => this.hint(),
      () => {},
    );
  }

  private hear(message: string): void {
    if (message.includes(`"from":"${this.self}"`)) return;
    // An admission concerns nobody else: whatever bars it was there before.
    if (message.includes('"admitted":')) return;
    const isUrgent = ['"order":', '"released":', '":"kill'].some((part) => message.includes(part));
    if (isUrgent) this.hint();
    else this.later ??= setTimeout(() => this.hint(), laterMs).unref();
  }

  private hint(): void {
    clearTimeout(this.later);
    this.later = undefined;
    for (const { changed } of [...this.watchers]) {
      try {
        changed();
      } catch {
        // A hint that is lost costs time only; one that throws must not keep the others from theirs (I5).
      }
    }
  }
}

function duplicateOf(client: RedisClient): RedisClient {
  // A subscription waits for its connection however long that takes.
  const settings = {
    maxRetriesPerRequest: null,
    enableOfflineQueue: true,
    lazyConnect: false,
    autoResubscribe: false,
  };
  return 'mode' in client ? client.duplicate(settings) : client.duplicate([], { enableOfflineQueue: true });
}
