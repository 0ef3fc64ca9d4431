/**
 * The console for whoever has no mouse, no big screen, no light or no eyes (A7), with real processes behind it.
 * @services chromium
 */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { button, expectAccessible, expectNarrow, inTheConsole, picture, said } from './support/console.ts';
import { processesOf } from './support/processes.ts';
import { tokens } from './support/reference-server.ts';

const focused = 'document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent';

/** A 320 px wide phone, and a window of 1,280 px at 200 %. */
const windows = [
  { width: 320, height: 640 },
  { width: 640, height: 360 },
];

inTheConsole((rig) => {
  test('every view and dialog, in light and in dark: axe-core finds nothing; nothing is too wide for a phone or at 200 %', async () => {
    const { server } = rig;
    const killInPassing = (task: string, why: string) =>
      server.call(
        'POST',
        `/api/orchestrator/tasks/${task}/kill`,
        tokens.mia,
        { reason: why },
        { headers: { prefer: 'respond-async' } },
      );
    const everywhere = async (page: Page): Promise<void> => {
      await expectAccessible(page);
      for (const size of windows) {
        await page.setViewportSize(size);
        await expectNarrow(page);
      }
      await page.setViewportSize({ width: 1_280, height: 720 });
    };
    await server.spawn(tokens.mia, 'alive', 'cooperative');
    await server.spawn(tokens.mia, 'dying', 'stubborn', { runtime: 'promise' });
    await server.spawn(tokens.mia, 'dead', 'cooperative');
    const reason = `it went rogue ${'and on '.repeat(200)}`;
    for (const task of ['dying', 'dead']) await killInPassing(task, reason);
    await everywhere(await rig.tab());

    const page = await rig.open(tokens.sue);
    await page.getByRole('listitem').filter({ hasText: 'KILLED' }).first().waitFor();
    await page.getByText('1 being killed', { exact: true }).waitFor();
    await everywhere(page);
    await button(page, 'Kill task alive…').click();
    await page.getByText('Hits 1 live agent').waitFor();
    await everywhere(page);
    await page.keyboard.press('Escape');
    await button(page, 'Emergency stop…').click();
    await page.getByText('Hits 2 live agents').waitFor();
    await everywhere(page);
    await page.getByLabel('Reason').fill(reason);
    await page.getByLabel('Type STOP to go on').fill('stop');
    await button(page, 'Stop everything now').click();
    await page.getByRole('region', { name: 'Not confirmed dead' }).waitFor();
    await page.getByText('Everything is stopped.').waitFor();
    await everywhere(page);
    for (const [view, full] of [
      ['Tasks', page.getByRole('listitem').filter({ hasText: 'Under the stop of everything.' })],
      ['Stops', page.getByRole('heading', { name: 'Task dead' })],
      ['Record', page.getByRole('row').filter({ hasText: 'agent.unconfirmed' }).first()],
      ['Release…', page.getByLabel('Why it is safe now')],
    ] as const) {
      await page.getByRole('link', { name: view, exact: true }).click();
      await full.waitFor();
      await everywhere(page);
    }

    const admin = await rig.open(tokens.adam, { viewport: { width: 320, height: 640 }, colorScheme: 'dark' });
    await button(admin, 'Kill all in demo…').click();
    await admin.getByText('Hits 1 live agent').waitFor();
    await picture(admin, 'phone');
    await everywhere(admin);
  });

  test('everything is done with the keyboard alone, and whoever does it is where they were or where it leads', async () => {
    const agent = await rig.server.spawn(tokens.mia, 't', 'stubborn');
    const page = await rig.open(tokens.mia);
    await button(page, 'Kill task t…').waitFor();
    await tabTo(page, 'Kill task t…');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Kill task t' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.evaluate(focused)).toBe('Kill task t…');
    // What changes on the page meanwhile throws nobody off.
    await rig.server.spawn(tokens.mia, 't', 'stubborn');
    await rig.server.spawn(tokens.mia, 'a', 'stubborn');
    await page.getByText('3 live agents of 2 tasks').waitFor();
    expect(await page.evaluate(focused)).toBe('Kill task t…');
    await page.keyboard.press('Enter');
    await page.keyboard.type('it went rogue');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await said(page, 'Settled: 2 of 2 observed dead.').waitFor();
    expect(processesOf(agent)).toEqual([]);
    expect(await page.evaluate(focused)).toBe('Stop of task t');
    await page.getByRole('status').filter({ hasText: 'Settled' }).waitFor({ state: 'attached' });
    await page.keyboard.press('Shift+Tab');
    await tabTo(page, 'Tasks', 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByText('1 live agent of 1 task').waitFor();
    expect(await page.evaluate(focused)).toBe('Tasks');
    expect(await page.title()).toBe('Tasks · Killswitch');
  });

  test('the way past the links at the top leads to the content, and to no other view', async () => {
    const page = await rig.open(tokens.mia);
    await page.goto(`${rig.server.url}/api/orchestrator/console/#/orders`);
    await page.reload();
    await page.getByRole('heading', { name: 'Stops under way' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement?.id')).toBe('main');
    expect(page.url()).toContain('#/orders');
  });
});

/** Presses a key until the element of that name has the focus. */
async function tabTo(page: Page, name: string, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 30; presses += 1) {
    if ((await page.evaluate(focused)) === name) return;
    await page.keyboard.press(key);
  }
  throw new Error(`Nothing called "${name}" can be reached by keyboard`);
}
