import { ensurePackages, which } from './apt.ts';
import type { Ground } from './ground.ts';
import { onFreePort, untilReady } from './ready.ts';
import { respConversation } from './resp.ts';
import type { Service } from './service.ts';

/** Valkey without persistence, from Debian 13's own packages or Debian 12's backports. */
export const valkey: Service = respService({
  name: 'valkey',
  variable: 'VALKEY_URL',
  command: 'valkey-server',
  backports: true,
});

export interface RespService {
  readonly name: string;
  readonly variable: string;
  /** The server's program, which is the name of its package too. */
  readonly command: string;
  readonly backports: boolean;
}

/** A server that speaks the Redis protocol. */
export function respService({ name, variable, command, backports }: RespService): Service {
  return {
    name,
    variable,

    async probe(url) {
      const [reply] = await respConversation(url, [['PING']]);
      if (reply !== 'PONG') throw new Error(`PING was answered with ${reply}`);
    },

    async start(ground: Ground) {
      const server = await ensurePackages({ find: () => which(command), packages: [command], backports });
      return onFreePort(async (port) => {
        const url = `redis://127.0.0.1:${port}`;
        const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
        const daemon = await ground.daemon(`${name}-${port}`, server, args, {
          account: { user: 'nobody', group: 'nogroup' },
        });
        await untilReady(command, daemon, () => this.probe(url), 15_000);
        return url;
      });
    },
  };
}
