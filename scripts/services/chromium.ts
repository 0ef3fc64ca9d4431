import { run } from '../lib/run.ts';
import { ensurePackages, which } from './apt.ts';
import type { Service } from './service.ts';

/** A real browser for tests to drive. Its "URL" is the path of its program: every test starts one of its own. */
export const chromium: Service = {
  name: 'chromium',
  variable: 'CHROMIUM_PATH',

  async probe(path) {
    const { code, stdout } = await run(path, ['--version']);
    if (code !== 0 || !/chrom/i.test(stdout)) throw new Error(`${path} --version does not name a Chromium`);
  },

  async start() {
    const path = await ensurePackages({ find: () => which('chromium'), packages: ['chromium'] });
    await this.probe(path);
    return path;
  },
};
