import { describeError, type Killswitch } from '@agent-killswitch/core';
import { connections } from './connection.ts';
import { contained } from './contained.ts';
import type { DeadLetter } from './dead-letters.ts';
import { Delivery, type EndpointStatus } from './delivery.ts';
import { type Message, messageOf } from './message.ts';
import { listen } from './news.ts';
import type { WebhooksOptions } from './options.ts';
import { settingsOf } from './settings.ts';
import { within } from './within.ts';

/** No timer takes longer. */
const longestMs = 2 ** 31 - 1;
/** How long the dead letters may take to be read or kept. */
const lettersMs = 5_000;

export interface Webhooks {
  /** How each endpoint fares. */
  status(): readonly EndpointStatus[];
  /** What could not be delivered, the oldest first. @throws DeadLettersError, DeadlineError. */
  deadLetters(): Promise<readonly DeadLetter[]>;
  /**
   * Sends dead letters again, all of them or those with these ids, also to an endpoint that was gone. Each leaves the dead
   * letters when it is delivered. Returns how many are on their way: none once it is closed, or as long as too many wait.
   * @throws DeadLettersError, DeadlineError.
   */
  retry(letterIds?: readonly string[]): Promise<number>;
  /**
   * Listens no more, delivers what is due for up to `ms` milliseconds (default 2,000), and makes dead letters of the rest.
   * Calling it again returns the same promise. Never rejects.
   */
  close(ms?: number): Promise<void>;
}

/**
 * Tells endpoints what a killswitch puts on record, by the Standard Webhooks specification 1.0.0. All of it happens beside the
 * killswitch: whatever an endpoint does, no kill waits for it (I5). What waits is in this process's memory; the audit record
 * is the evidence.
 * @throws InvalidConfigurationError listing every fault.
 */
export function webhooks(ks: Pick<Killswitch, 'hostId' | 'on'>, options: WebhooksOptions): Webhooks {
  const settings = settingsOf(options);
  const { clock, deadLetters, endpoints } = settings;
  // Whatever was given to be called back must not be able to stop a delivery, nor the process.
  const trouble = (line: string): void => void contained(() => settings.onTrouble(line));
  const chance = (): number => {
    const drawn = contained(settings.chance) ?? Number.NaN;
    return drawn >= 0 && drawn < 1 ? drawn : 0.5;
  };
  /** Changes of the dead letters that are under way. */
  const keeping = new Set<Promise<void>>();
  const keep = (what: string, work: () => Promise<void>): void => {
    const kept = within(clock, lettersMs, `${what} dead letters`, work)
      .catch((error: unknown) => trouble(`Webhooks: ${describeError(error)}`))
      .finally(() => keeping.delete(kept));
    keeping.add(kept);
  };
  const deliveries = endpoints.map((endpoint) => ({
    endpoint,
    delivery: new Delivery(endpoint, {
      ...settings,
      networks: endpoint.networks,
      redirects: endpoint.redirects,
      connections: connections(settings.atOnce),
      bury: (letters) => keep('adding', () => deadLetters.add(letters)),
      unearth: (letterId) => keep('removing', () => deadLetters.remove([letterId])),
      trouble,
      chance,
    }),
  }));
  const wanted = new Set(endpoints.flatMap(({ events }) => [...events]));
  const off = listen(ks, wanted, clock.now, (news) => {
    let written: Message | undefined;
    const message = (): Message => {
      written ??= messageOf(news);
      return written;
    };
    for (const { endpoint, delivery } of deliveries)
      if (endpoint.events.has(news.type)) delivery.send(message);
  });
  const list = async (): Promise<readonly DeadLetter[]> => {
    for (const { delivery } of deliveries) await delivery.handOn();
    return within(clock, lettersMs, 'reading dead letters', () => deadLetters.list());
  };

  let closed: Promise<void> | undefined;
  const close = async (ms: number): Promise<void> => {
    off();
    await Promise.all(deliveries.map(({ delivery }) => delivery.close(ms)));
    await Promise.all(keeping);
  };
  return {
    status: () => deliveries.map(({ delivery }) => delivery.status),
    deadLetters: list,
    async retry(letterIds) {
      const letters = (await list()).filter(({ letterId }) => letterIds?.includes(letterId) ?? true);
      if (closed !== undefined) return 0;
      let sent = 0;
      for (const { letterId, messageId: id, type, body, endpoint: name } of letters) {
        const delivery = deliveries.find(({ endpoint }) => endpoint.name === name)?.delivery;
        delivery?.reopen();
        if (delivery?.send(() => ({ id, type, body }), letterId) === true) sent += 1;
      }
      return sent;
    },
    close(ms = 2_000) {
      closed ??= close(Math.min(ms, longestMs));
      return closed;
    },
  };
}
