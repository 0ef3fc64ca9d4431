/**
 * A stop as it is seen in the console while it goes on (A7), with real processes behind it.
 * @services chromium
 */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { button, desk, expectAccessible, inDialog, inTheConsole, picture, said } from './support/console.ts';
import { processesOf } from './support/processes.ts';
import { tokens } from './support/reference-server.ts';

/** Two of a hundred take two seconds, in which the others are seen dead. */
function behaviourOf(n: number): string {
  if (n % 50 === 0) return 'lingering';
  return n % 4 === 0 ? 'stubborn' : 'cooperative';
}

inTheConsole((rig) => {
  test('an emergency stop of 100 agents takes two steps, is seen live, latches on every page, and is released by hand', async () => {
    const { server } = rig;
    const agents = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        server.spawn(tokens.sue, `swarm-${n % 10}`, behaviourOf(n), {
          runtime: n % 50 === 0 ? 'promise' : 'process',
        }),
      ),
    );
    const page = await rig.open(tokens.sue, { viewport: desk });
    const other = await rig.open(tokens.mia);
    await page.getByText('100 live agents of 10 tasks').waitFor();
    await button(page, 'Emergency stop…').click();
    const stop = button(page, 'Stop everything now');
    await page.getByText(/^Hits 100 live agents of 10 tasks/).waitFor();
    await page.getByLabel('Reason').fill('the swarm went rogue');
    await page.getByText('Still needed: the word STOP.').waitFor();
    expect(await stop.isDisabled()).toBe(true);
    await page.getByLabel('Type STOP to go on').fill('STOP');
    await picture(page, 'confirmation');
    await stop.click();
    await said(page, /^[1-9]\d? of 100 observed dead, \d+ to go\.$/).waitFor();
    expect(await page.getByRole('row').count()).toBe(101);
    await said(page, 'Settled: 100 of 100 observed dead.').waitFor();
    for (const agent of agents) expect(processesOf(agent)).toEqual([]);
    for (const row of await page.getByRole('row').allTextContents())
      expect(row).toMatch(/Timeline|(\+\d+ ms){2}.*\+[\d.]+ m?s.+/);
    await picture(page, 'emergency-stop');

    for (const [each, views] of [
      [page, ['Tasks', 'Stops', 'Record']],
      [other, ['Stops', 'Record', 'Tasks']],
    ] as const) {
      for (const view of views) {
        await each.getByRole('link', { name: view, exact: true }).click();
        await expectLatched(each);
      }
    }
    await page.getByRole('link', { name: 'Tasks' }).click();
    const killed = page.getByRole('listitem').filter({ hasText: 'swarm-3' });
    await killed.getByText('KILLED', { exact: true }).waitFor();
    await killed.getByText('Under the stop of everything.').waitFor();

    expect(await other.getByRole('link', { name: 'Release…' }).count()).toBe(0);
    await other.goto(`${server.url}/api/orchestrator/console/#/release`);
    await other.getByText('Nothing is stopped that you may release.').waitFor();
    await page.getByRole('link', { name: 'Release…' }).click();
    const release = button(page, 'Release everything');
    await page.getByLabel('Why it is safe now').fill('the cause is mended');
    expect(await release.isDisabled()).toBe(true);
    await page.getByLabel('Type RELEASE to go on').fill('RELEASE');
    await expectAccessible(page);
    await release.click();
    await page.getByText('Released: agents may start again; none was restarted').waitFor();
    for (const each of [page, other])
      await each.getByText('Everything is stopped.').waitFor({ state: 'hidden' });
    for (const agent of agents) expect(processesOf(agent)).toEqual([]);
    await server.spawn(tokens.mia, 'next', 'cooperative');
  });

  async function expectLatched(page: Page): Promise<void> {
    const banner = page.getByRole('alert').filter({ hasText: 'Everything is stopped.' });
    await banner.waitFor();
    expect(await banner.textContent()).toMatch(/By sue on .*20\d\d.*: the swarm went rogue/);
  }

  test('eight tabs of one browser that follow a stop leave it connections to stop with; whom that hits is kept up to date', async () => {
    const { server } = rig;
    await server.spawn(tokens.sue, 't', 'stubborn', { runtime: 'promise' });
    const kill = { headers: { prefer: 'respond-async' } };
    const { body } = await server.call(
      'POST',
      '/api/orchestrator/tasks/t/kill',
      tokens.sue,
      { reason: 'x' },
      kill,
    );
    const first = await rig.open(tokens.sue);
    const address = `${server.url}/api/orchestrator/console/#/orders/${body.orderId}`;
    const pages = [first];
    for (let n = 1; n < 8; n += 1) {
      const page = await first.context().newPage();
      await page.goto(server.url);
      await page.getByLabel('Token').fill(tokens.sue);
      await button(page, 'Go on').click();
      pages.push(page);
    }
    for (const page of pages) await page.goto(address);
    for (const page of pages) await said(page, '0 of 1 observed dead, 1 to go.').waitFor();
    const last = pages.at(-1) as Page;
    await button(last, 'Emergency stop…').click();
    await last.getByText(/^Hits 1 live agent of 1 task/).waitFor();
    await server.spawn(tokens.sue, 'more', 'cooperative');
    await last.getByText(/^Hits 2 live agents of 2 tasks/).waitFor();
    await last.getByLabel('Reason').fill('the swarm went rogue');
    await last.getByLabel('Type STOP to go on').fill('STOP');
    await button(last, 'Stop everything now').click();
    await last.getByRole('heading', { name: 'Stop of everything' }).waitFor();
    for (const page of pages) await page.getByText('Everything is stopped.').waitFor();
  });

  test('a stop that came while somebody read the others is not released with them', async () => {
    const { server } = rig;
    const stop = (token: string, reason: string) =>
      server.call('POST', '/api/orchestrator/emergency-stop', token, { reason });
    await stop(tokens.sue, 'the first cause');
    const page = await rig.open(tokens.sue);
    await page.getByRole('link', { name: 'Release…' }).click();
    await page.getByLabel('Why it is safe now').fill('the cause is mended');
    await page.getByLabel('Type RELEASE to go on').fill('RELEASE');
    await stop(tokens.bot, 'another cause');
    await button(page, 'Release everything').click();
    await page.getByText('Not released: somebody has stopped it again meanwhile.').waitFor();
    await said(page, /another cause/).waitFor();
    expect(await page.getByLabel('Type RELEASE to go on').inputValue()).toBe('');
    await page.getByLabel('Why it is safe now').fill('both causes are mended');
    await page.getByLabel('Type RELEASE to go on').fill('RELEASE');
    await button(page, 'Release everything').click();
    await page.getByText('Released: agents may start again; none was restarted').waitFor();
  });

  test('who is not confirmed dead is named in front of all others, and announced', async () => {
    const { server } = rig;
    await server.spawn(tokens.mia, 't', 'cooperative');
    const undead = await server.spawn(tokens.mia, 't', 'stubborn', { runtime: 'promise' });
    const page = await rig.open(tokens.mia);
    await button(page, 'Kill task t…').click();
    await page.getByLabel('Reason').fill('it went rogue');
    await inDialog(page, 'Kill t').click();
    await said(page, '1 of 2 observed dead, 1 to go.').waitFor();
    const alarm = page.getByRole('region', { name: 'Not confirmed dead' });
    await alarm.getByRole('heading', { name: '1 agent NOT CONFIRMED DEAD' }).waitFor();
    expect(await alarm.getByRole('listitem').allTextContents()).toEqual([
      expect.stringContaining(`${undead} of task t`),
    ]);
    expect(await page.getByRole('row').nth(1).textContent()).toMatch(
      new RegExp(`${undead}.*NOT CONFIRMED DEAD`),
    );
    await page.getByRole('status').filter({ hasText: '1 not confirmed dead' }).waitFor({ state: 'attached' });
    await expectAccessible(page);
    await picture(page, 'unconfirmed');
  });
});
