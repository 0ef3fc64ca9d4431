/**
 * The console in a real browser, with real processes behind it.
 * @services chromium
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chromiumFlags } from '../../../test/support/chromium-flags.ts';
import { withService } from '../../../test/support/with-service.ts';
import { processesOf } from './support/processes.ts';
import { type Life, Site, tokens } from './support/reference-server.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

withService('chromium', 'CHROMIUM_PATH', (executablePath) => {
  let browser: Browser;
  let site: Site;
  let server: Life;
  let faults: unknown[];
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: chromiumFlags });
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    faults = [];
    site = new Site();
    server = await site.boot(undefined, [], { ORCHESTRATOR_PORT: String(await freePort()) });
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await site.dispose();
    expect(faults).toEqual([]);
  });

  /** The console as somebody sees it in a tab of their own. */
  async function open(token: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
    const page = await browser.newPage(options);
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => faults.push(error));
    page.on('console', (message) => {
      if (/Content.Security.Policy|TrustedHTML/i.test(message.text())) faults.push(message.text());
    });
    await page.goto(server.url);
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('heading', { name: 'Tasks', exact: true }).waitFor();
    return page;
  }

  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

  /** What the README shows: `SCREENSHOT_DIR=docs/images npm test -- console.test`. */
  async function picture(page: Page, name: string): Promise<void> {
    const folder = process.env.SCREENSHOT_DIR;
    if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
  }

  async function expectAccessible(page: Page): Promise<void> {
    await page.evaluate(axe);
    const found = await page.evaluate(async () => {
      const run = (
        globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        }
      ).axe;
      return (await run.run()).violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
      );
    });
    expect(found).toEqual([]);
  }

  describe('a token that is not known', () => {
    test('is asked for again, and is in no address', async () => {
      const page = await browser.newPage();
      await page.goto(server.url);
      await page.getByLabel('Token').fill('no-such-token');
      await button(page, 'Go on').click();
      await page.getByLabel('Token').waitFor();
      expect(page.url()).not.toContain('no-such-token');
      expect(await page.getByRole('heading', { name: 'Tasks', exact: true }).count()).toBe(0);
    });
  });

  test('a member kills their own task: whom it hits, why, and each step until it is seen dead (A7)', async () => {
    const mine = await server.spawn(tokens.mia, 'task-of-mia', 'forking');
    await server.spawn(tokens.nia, 'task-of-nia', 'cooperative');
    const page = await open(tokens.mia);
    await expectAccessible(page);
    expect(await page.getByText('task-of-nia').count()).toBe(0);
    expect(await button(page, /Emergency stop|Kill all/).count()).toBe(0);
    await button(page, 'Kill task task-of-mia…').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Hits 1 live agent of 1 task in 1 workspace: task-of-mia.').waitFor();
    await expectAccessible(page);
    expect(await button(page, 'Kill task-of-mia').isDisabled()).toBe(true);
    await dialog.getByLabel('Reason').fill('it went rogue');
    await button(page, 'Kill task-of-mia').click();
    await page.locator('main').getByText('Settled: 1 of 1 observed dead.').waitFor();
    expect(processesOf(mine)).toEqual([]);
    const row = page.getByRole('row').filter({ hasText: mine });
    expect(await row.textContent()).toMatch(/\+\d+ ms/);
    expect(await row.textContent()).toContain('gone from /proc');
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Tasks' }).click();
    const killed = page.getByRole('listitem').filter({ hasText: 'task-of-mia' });
    await killed.getByText('KILLED').waitFor();
    expect(await killed.textContent()).toContain('it went rogue');
    await expectAccessible(page);
  });

  test('whoever may see a task but not kill it has no button for it; the server refuses it too', async () => {
    await server.spawn(tokens.nia, 'task-of-nia', 'cooperative');
    const page = await open(tokens.mia);
    expect(await button(page, /^Kill/).count()).toBe(0);
    const status = await page.evaluate(async () => {
      const answer = await fetch('../tasks/task-of-nia/kill', {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${sessionStorage.getItem('killswitch-token')}`,
          'Content-Type': 'application/json',
        },
        body: '{"reason":"x"}',
      });
      return answer.status;
    });
    expect(status).toBe(403);
  });

  test('a workspace admin kills all of their workspace (A7)', async () => {
    const agents = [
      await server.spawn(tokens.mia, 't1', 'stubborn'),
      await server.spawn(tokens.nia, 't2', 'forking'),
    ];
    const page = await open(tokens.adam);
    await button(page, 'Kill all in demo…').click();
    await page.getByText('Hits 2 live agents of 2 tasks in 1 workspace: t1, t2.').waitFor();
    await page.getByLabel('Reason').fill('all of it went rogue');
    await button(page, 'Kill all').last().click();
    await page.locator('main').getByText('Settled: 2 of 2 observed dead.').waitFor();
    for (const agent of agents) expect(processesOf(agent)).toEqual([]);
    await page.getByRole('link', { name: 'Record' }).click();
    const record = page.getByRole('row').filter({ hasText: 'agent.killed' });
    await record.nth(1).waitFor();
    await page.getByLabel('Task').fill('t1');
    await button(page, 'Look').click();
    await record.nth(1).waitFor({ state: 'hidden' });
    await record.first().waitFor();
    await expectAccessible(page);
  });

  test('an emergency stop of 100 agents takes two steps, is seen live, latches on every page, and is released by hand', async () => {
    const agents = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        server.spawn(tokens.sue, `swarm-${n % 10}`, n % 4 === 0 ? 'stubborn' : 'cooperative', {
          workspaceId: 'demo',
        }),
      ),
    );
    const page = await open(tokens.sue);
    const other = await open(tokens.mia);
    await page.getByText('100 live agents of 10 tasks').waitFor();
    await button(page, 'Emergency stop…').click();
    const stop = button(page, 'Stop everything now');
    await page.getByText(/^Hits 100 live agents of 10 tasks/).waitFor();
    await page.getByLabel('Reason').fill('the swarm went rogue');
    expect(await stop.isDisabled()).toBe(true);
    await page.getByLabel('Type STOP to go on').fill('STOP');
    await expectAccessible(page);
    await picture(page, 'confirmation');
    await stop.click();
    await page.locator('main').getByText('Settled: 100 of 100 observed dead.').waitFor();
    for (const agent of agents.slice(0, 10)) expect(processesOf(agent)).toEqual([]);
    for (const each of [page, other]) {
      await each.getByText('Everything is stopped.').waitFor();
      expect(
        await each.getByRole('alert').filter({ hasText: 'Everything is stopped' }).textContent(),
      ).toMatch(/By sue on .*: the swarm went rogue/);
    }
    await expectAccessible(page);
    await picture(page, 'emergency-stop');
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
    await page.getByText('Everything is stopped.').waitFor({ state: 'hidden' });
  });

  test('a server that is gone is noticed within 2 s and what to do is shown; when it is back, the page is too', async () => {
    await server.spawn(tokens.mia, 't', 'stubborn');
    const page = await open(tokens.mia);
    await page.getByText('1 live agent of 1 task').waitFor();
    await server.crash();
    const gone = performance.now();
    await page.getByText('The server does not answer.').waitFor();
    expect(performance.now() - gone).toBeLessThan(4_000);
    expect(await page.getByRole('alert').filter({ hasText: 'does not answer' }).textContent()).toContain(
      'kill -9',
    );
    await expectAccessible(page);
    server = await site.boot(undefined, [], { ORCHESTRATOR_PORT: new URL(server.url).port });
    await page.getByText('The server does not answer.').waitFor({ state: 'hidden' });
    await page.getByText('1 live agent of 1 task').waitFor();
  });

  test('everything is done with the keyboard alone, and on a phone in the dark', async () => {
    const agent = await server.spawn(tokens.mia, 't', 'stubborn');
    const page = await open(tokens.mia, { viewport: { width: 320, height: 640 }, colorScheme: 'dark' });
    await button(page, 'Kill task t…').waitFor();
    await expectAccessible(page);
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(overflow).toBeLessThanOrEqual(0);
    for (let tabs = 0; tabs < 20; tabs += 1) {
      const name = await page.evaluate("document.activeElement?.getAttribute('aria-label')");
      if (name === 'Kill task t…') break;
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.keyboard.press('Enter');
    await page.keyboard.type('it went rogue');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('main').getByText('Settled: 1 of 1 observed dead.').waitFor();
    expect(processesOf(agent)).toEqual([]);
  });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
