/**
 * The console when its server does not answer (A7), with real processes behind it.
 * @services chromium
 */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { button, expectAccessible, inDialog, inTheConsole, picture, said } from './support/console.ts';
import { processesOf } from './support/processes.ts';
import { tokens } from './support/reference-server.ts';

const crashAt = new URL('./fixtures/crash-at.ts', import.meta.url).pathname;
/** 2 s are promised; the rest is for the test's own messages to a browser on a busy machine. */
const noticedMs = 2_500;

const notice = (page: Page) => page.getByRole('alert').filter({ hasText: 'The server does not answer.' });

inTheConsole((rig) => {
  test('a server that hangs is noticed within 2 s, in a dialog too, and what to do without it is shown; then it is back', async () => {
    const agent = await rig.server.spawn(tokens.mia, 't', 'stubborn');
    const pages = [await rig.open(tokens.mia), await rig.open(tokens.sue)];
    for (const page of pages) await page.getByText('1 live agent of 1 task').waitFor();
    await button(pages[1]!, 'Emergency stop…').click();
    await pages[1]!.getByText('Hits 1 live agent').waitFor();
    process.kill(rig.server.pid, 'SIGSTOP');
    const hung = performance.now();
    const noticed = await Promise.all(
      pages.map(async (page) => {
        await notice(page).waitFor();
        return performance.now() - hung;
      }),
    );
    expect(Math.max(...noticed)).toBeLessThan(noticedMs);
    for (const page of pages) expect(await notice(page).locator('pre').textContent()).toContain('kill -9');
    expect(await pages[1]!.getByRole('dialog').getByText('To stop every agent without it').isVisible()).toBe(
      true,
    );
    await picture(pages[0]!, 'no-answer');
    for (const page of pages) await expectAccessible(page);
    process.kill(rig.server.pid, 'SIGCONT');
    for (const page of pages) await notice(page).waitFor({ state: 'detached' });
    expect(processesOf(agent).length).toBeGreaterThan(0);
  });

  test('a server that is gone is noticed; when it is back, the page is too', async () => {
    await rig.server.spawn(tokens.mia, 't', 'stubborn');
    const page = await rig.open(tokens.mia);
    await page.getByText('1 live agent of 1 task').waitFor();
    await rig.server.crash();
    const gone = performance.now();
    await notice(page).waitFor();
    expect(performance.now() - gone).toBeLessThan(noticedMs);
    await rig.again();
    await notice(page).waitFor({ state: 'detached' });
    await page.getByText('1 live agent of 1 task').waitFor();
  });

  test('odd answers of something in between end nothing: no token is forgotten, and the page goes on', async () => {
    await rig.server.spawn(tokens.mia, 't', 'stubborn');
    const page = await rig.open(tokens.mia);
    let answers = 0;
    const odd = [
      { status: 403, json: { error: 'firewall' } },
      { status: 404, json: { message: 'no backend' } },
      { status: 429, json: {} },
      { status: 503, json: null },
      { status: 200, json: {} },
      { status: 200, json: null },
    ];
    await page.route(/\/me$/, (route) => {
      const answer = odd[answers++];
      return answer === undefined ? route.continue() : route.fulfill(answer);
    });
    await page
      .getByRole('alert')
      .filter({ hasText: /The server (cannot say|does not answer)/ })
      .waitFor();
    await page.getByRole('alert').filter({ hasText: 'The server' }).waitFor({ state: 'detached' });
    expect(answers).toBeGreaterThan(odd.length);
    expect(await page.getByLabel('Token').count()).toBe(0);
    await rig.server.spawn(tokens.mia, 'later', 'stubborn');
    await page.getByText('2 live agents of 2 tasks').waitFor();
  });

  test('what cannot be seen is not shown as if it could', async () => {
    await rig.server.spawn(tokens.mia, 't', 'stubborn');
    const page = await rig.open(tokens.mia);
    await page.getByText('1 live agent of 1 task').waitFor();
    const down = {
      status: 503,
      json: { code: 'state-unavailable', detail: 'The state store does not answer' },
    };
    await page.route(/\/(status|agents)(\?|$)/, (route) => route.fulfill(down));
    await page.getByRole('alert').filter({ hasText: 'What is stopped cannot be seen' }).waitFor();
    await page.getByText('Who is alive cannot be seen now: The state store does not answer').waitFor();
    await expectAccessible(page);
    await page.unroute(/\/(status|agents)(\?|$)/);
    await page.getByText('cannot be seen').first().waitFor({ state: 'detached' });
  });

  test('a stop whose answer is lost is one stop, however often it is asked for; without its events it is read', async () => {
    const agent = await rig.server.spawn(tokens.mia, 't', 'stubborn');
    const page = await rig.open(tokens.mia);
    await page.route(/\/events$/, (route) =>
      route.fulfill({ status: 503, json: { code: 'too-many-streams' } }),
    );
    await button(page, 'Kill task t…').click();
    await page.route(/\/kill$/, async (route) => {
      await route.fetch();
      await route.abort();
    });
    await page.getByLabel('Reason').fill('it went rogue');
    await inDialog(page, 'Kill t').click();
    await page.getByRole('dialog').getByText('whether it is stopped is not known').waitFor();
    await page.unroute(/\/kill$/);
    await inDialog(page, 'Kill t').click();
    await said(page, 'Settled: 1 of 1 observed dead.').waitFor();
    expect(processesOf(agent)).toEqual([]);
    expect(rig.site.events().filter(({ type }) => type === 'order.requested')).toHaveLength(1);
  });

  test('a server that dies in the middle of a stop and comes back goes on with it before the same eyes', async () => {
    const agents = [
      await rig.server.spawn(tokens.mia, 't', 'forking'),
      await rig.server.spawn(tokens.mia, 't', 'stubborn', { runtime: 'promise' }),
    ];
    const page = await rig.open(tokens.mia);
    await button(page, 'Kill task t…').click();
    await page.getByLabel('Reason').fill('it went rogue');
    await inDialog(page, 'Kill t').click();
    await said(page, '1 of 2 observed dead, 1 to go.').waitFor();
    await rig.server.crash();
    await notice(page).waitFor();
    await said(page, '1 of 2 observed dead, 1 to go.').waitFor();
    await rig.again();
    await notice(page).waitFor({ state: 'detached' });
    await said(page, 'Settled: 2 of 2 observed dead.').waitFor();
    for (const agent of agents) expect(processesOf(agent)).toEqual([]);
  });

  test('a server that dies while it is told to stop: nothing is claimed, and the stop that it had stored is seen when it is back', async () => {
    await rig.server.crash();
    await rig.again(crashAt, ['claimed']);
    const agent = await rig.server.spawn(tokens.mia, 't', 'stubborn');
    const page = await rig.open(tokens.mia);
    await button(page, 'Kill task t…').click();
    await page.getByLabel('Reason').fill('it went rogue');
    await inDialog(page, 'Kill t').click();
    await notice(page).waitFor();
    await rig.again();
    await notice(page).waitFor({ state: 'detached' });
    if (await page.getByRole('dialog').isVisible()) {
      await page.getByRole('dialog').getByText('whether it is stopped is not known').waitFor();
      await button(page, 'Cancel').click();
    }
    await page.getByRole('link', { name: 'Tasks' }).click();
    const killed = page.getByRole('listitem').filter({ hasText: 'it went rogue' });
    await killed.getByText('KILLED', { exact: true }).waitFor();
    await killed.getByRole('link').click();
    await said(page, 'Settled: 1 of 1 observed dead.').waitFor();
    expect(processesOf(agent)).toEqual([]);
  });
});
