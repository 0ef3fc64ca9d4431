import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { chromiumFlags } from '../../../../test/support/chromium-flags.ts';
import { withService } from '../../../../test/support/with-service.ts';
import { type Life, Site } from './reference-server.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A reference server of its own for every test, and a browser to look at it. */
export class ConsoleRig {
  #browser: Browser | undefined;
  #faults: unknown[] = [];
  site: Site = new Site();
  server!: Life;

  async launch(executablePath: string): Promise<void> {
    this.#browser = await chromium.launch({ executablePath, args: chromiumFlags });
  }

  async quit(): Promise<void> {
    await this.#browser?.close();
  }

  async begin(): Promise<void> {
    this.#faults = [];
    this.site = new Site();
    this.server = await this.site.boot(undefined, [], { ORCHESTRATOR_PORT: String(await freePort()) });
  }

  async end(): Promise<void> {
    for (const context of this.#browser?.contexts() ?? []) await context.close();
    await this.site.dispose();
    expect(this.#faults).toEqual([]);
  }

  /** Another life of the server at the same address. `script`: see `Site.boot`. */
  async again(script?: string, args: readonly string[] = []): Promise<void> {
    this.server = await this.site.boot(script, args, { ORCHESTRATOR_PORT: new URL(this.server.url).port });
  }

  /** A tab of somebody's own, at the server's first page. */
  async tab(options: BrowserContextOptions = {}): Promise<Page> {
    if (this.#browser === undefined) throw new Error('No browser');
    const page = await (await this.#browser.newContext(options)).newPage();
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => this.#faults.push(error));
    page.on('console', (message) => {
      if (/Content.Security.Policy|TrustedHTML/i.test(message.text())) this.#faults.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(this.server.url)) this.#faults.push(`asked for ${request.url()}`);
    });
    await page.goto(this.server.url);
    return page;
  }

  /** The console as somebody sees it who has given their token. */
  async open(token: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.tab(options);
    await page.getByLabel('Token').fill(token);
    await button(page, 'Go on').click();
    await page.getByRole('heading', { name: 'Tasks', exact: true }).waitFor();
    return page;
  }
}

/** Tests of the console; skipped where there is no Chromium. */
export function inTheConsole(define: (rig: ConsoleRig) => void): void {
  withService('chromium', 'CHROMIUM_PATH', (executablePath) => {
    const rig = new ConsoleRig();
    beforeAll(() => rig.launch(executablePath));
    afterAll(() => rig.quit());
    beforeEach(() => rig.begin());
    afterEach(() => rig.end());
    define(rig);
  });
}

export function button(page: Page, name: string | RegExp): Locator {
  return page.getByRole('button', { name });
}

export function inDialog(page: Page, name: string): Locator {
  return page.getByRole('dialog').getByRole('button', { name, exact: true });
}

/** What the page says in its main part. */
export function said(page: Page, text: string | RegExp): Locator {
  return page.locator('main').getByText(text);
}

/** What the README shows, if it is asked for: see docs/testing.md. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOT_DIR;
  if (folder === undefined) return;
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** A desk's screen. */
export const desk: { readonly width: number; readonly height: number } = { width: 1_280, height: 960 };

/** axe-core finds nothing, in light nor in dark. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const found = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      return (await axe.run()).violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
      );
    });
    expect(found, `${page.url()} in ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null });
}

/** Nothing is wider than the window, so nobody has to scroll in two directions. */
export async function expectNarrow(page: Page): Promise<void> {
  const overflow = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(overflow, page.url()).toBeLessThanOrEqual(0);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
