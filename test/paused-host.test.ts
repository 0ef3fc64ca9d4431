/**
 * Hosts in processes of their own that are stopped by SIGSTOP for longer than their lease, and go on afterwards.
 * @services valkey
 */
import { expect, onTestFinished, test } from 'vitest';
import type { HostProcess } from '../campaigns/valkey-crash/host-process.ts';
import { found, isAlive, Site } from '../campaigns/valkey-crash/site.ts';
import { withService } from './support/with-service.ts';

const deadlines = { lease: 3_000 };
const soon = (): number => Date.now() + 40_000;

/** Right after the pause a host may refuse: the store has not answered it in time, as far as it can tell. */
async function started(site: Site, host: HostProcess): Promise<void> {
  let tries = 0;
  const pid = await found(soon(), async () => {
    tries += 1;
    return site.spawn(host, `later-${tries}`, 'later').catch(() => undefined);
  });
  expect(pid).toBeTypeOf('number');
}

withService('valkey', 'VALKEY_URL', (url) => {
  function siteOf(): Site {
    const site = new Site(url);
    onTestFinished(() => site.dispose());
    return site;
  }

  test('a killer that was paused past its lease has no effect on what was taken over, settled and released meanwhile (I4, I9)', async () => {
    const site = siteOf();
    const [killer, other] = await Promise.all([
      site.boot('killer', 'immortal', deadlines),
      site.boot('other', 'immortal', deadlines),
    ]);
    const before = await site.spawn(other, 'before', 't');
    await killer.tell({ do: 'stop', scope: { everything: true } });
    killer.signal('SIGSTOP');
    // Its order is taken over by whoever goes on, and settled when the agent dies at last.
    const taken = await found(soon(), async () =>
      (await site.orders()).find(({ hostId }) => hostId === 'other'),
    );
    expect(taken).toMatchObject({ scope: { everything: true } });
    await other.tell({ do: 'relent' });
    const settled = await found(soon(), async () =>
      (await site.orders()).find(({ settledAt }) => settledAt !== undefined),
    );
    expect(settled).toMatchObject({ orderId: taken?.orderId, hostId: 'other' });
    expect(isAlive(before)).toBe(false);
    expect(await other.tell({ do: 'release' })).toEqual({ released: true });
    const after = await site.spawn(other, 'after', 't2');
    await found(soon(), async () => (await site.leaseOf('killer')) < Date.now() || undefined);
    const orders = await site.orders();

    killer.signal('SIGCONT');
    await found(soon(), async () => (await site.leaseOf('killer')) > Date.now() || undefined);
    // What it had in mind when it was stopped it has done by the time it has started an agent, if it does it at all.
    await started(site, killer);
    expect(await site.orders()).toEqual(orders);
    expect(isAlive(after)).toBe(true);
    expect(await site.agent('after')).toMatchObject({ status: 'running' });
    expect(killer.events().filter(({ type }) => type === 'order.settled')).toEqual([]);
  });

  test('a host that was paused past its lease looks before it stops its own agents: the store answers, and they go on', async () => {
    const site = siteOf();
    const host = await site.boot('paused', 'easy', deadlines);
    const pid = await site.spawn(host, 'a', 't');
    host.signal('SIGSTOP');
    await found(soon(), async () => (await site.leaseOf('paused')) < Date.now() || undefined);
    host.signal('SIGCONT');
    const renewed = await found(soon(), async () => (await site.leaseOf('paused')) > Date.now() || undefined);
    expect(renewed).toBe(true);
    await started(site, host);
    expect(isAlive(pid)).toBe(true);
    expect(await site.orders()).toEqual([]);
  });
});
