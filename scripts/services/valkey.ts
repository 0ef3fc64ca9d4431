import { ensurePackages, which } from './apt.ts';
import type { Ground } from './ground.ts';
import { onFreePort, untilReady } from './ready.ts';
import { respConversation } from './resp.ts';
import type { Service } from './service.ts';

/** Valkey without persistence, from Debian 13's own packages or Debian 12's backports. */
export const valkey: Service = {
  name: 'valkey',
  variable: 'VALKEY_URL',

  async probe(url) {
    const [reply] = await respConversation(url, [['PING']]);
    if (reply !== 'PONG') throw new Error(`PING was answered with ${reply}`);
  },

  async start(ground: Ground) {
    const find = () => which('valkey-server');
    const server = await ensurePackages({ find, packages: ['valkey-server'], backports: true });
    return onFreePort(async (port) => {
      const url = `redis://127.0.0.1:${port}`;
      const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
      const daemon = await ground.daemon(`valkey-${port}`, server, args, {
        account: { user: 'nobody', group: 'nogroup' },
      });
      await untilReady('valkey-server', daemon, () => this.probe(url), 15_000);
      return url;
    });
  },
};
