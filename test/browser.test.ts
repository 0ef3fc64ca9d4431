/**
 * The core in a real browser.
 * @services chromium
 */
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { browserBundle } from './support/browser-bundle.ts';
import type { BrowserKill } from './support/browser-kill.ts';
import { chromiumFlags } from './support/chromium-flags.ts';
import { expectKilled } from './support/expect-killed.ts';
import { withService } from './support/with-service.ts';

withService('chromium', 'CHROMIUM_PATH', (executablePath) => {
  test('a page kills a stubborn agent, under a policy that forbids eval and inline script (I3)', async () => {
    const { code } = await browserBundle();
    const server = createServer((request, response) => {
      const isScript = request.url === '/kill.js';
      response.setHeader('content-security-policy', "default-src 'none'; script-src 'self'");
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? code : '<!doctype html><title>kill</title><script src="/kill.js"></script>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await chromium.launch({ executablePath, args: chromiumFlags });
    try {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('not listening');
      const page = await browser.newPage();
      const faults: unknown[] = [];
      page.on('pageerror', (error) => faults.push(error));
      await page.goto(`http://127.0.0.1:${address.port}/`);
      const kill = await page.evaluate<BrowserKill>(() =>
        (
          globalThis as unknown as { agentKillswitch: { browserKill(): Promise<BrowserKill> } }
        ).agentKillswitch.browserKill(),
      );
      expectKilled(kill);
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
      server.close();
    }
  });
});
