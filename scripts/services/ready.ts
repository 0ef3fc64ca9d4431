import { createServer } from 'node:net';
import type { Daemon } from './ground.ts';

/** Asks until `probe` succeeds. @throws with the daemon's log if it ends first or the time is up. */
export async function untilReady(
  name: string,
  daemon: Daemon,
  probe: () => Promise<void>,
  deadlineMs: number,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (daemon.ended) throw new Error(`${name} ended at its start:\n${await daemon.log()}`);
      if (Date.now() > deadline) {
        throw new Error(`${name} did not answer within ${deadlineMs} ms (${why}):\n${await daemon.log()}`);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A TCP port on 127.0.0.1 that nobody had a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('no port'));
      });
    });
  });
}

/** Starts on a free port, and on another one if somebody took it in between. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken = error instanceof Error && /address already in use/i.test(error.message);
      if (!taken || tries === 5) throw error;
    }
  }
}
