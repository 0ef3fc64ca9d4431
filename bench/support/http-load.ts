/** Sends requests over kept connections and counts the answers. Runs as a worker thread. */
import { Agent, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

export interface Load {
  readonly port: number;
  /** `N` stands for the number of the request. */
  readonly path: string;
  readonly atOnce: number;
  /** So many in all, as fast as they are answered; */
  readonly count?: number;
  /** or so many a second until told to end. Every second one is from nobody that is known. */
  readonly perSecond?: number;
}

export interface Loaded {
  readonly seconds: number;
  /** How many answers of each status; 0 for none. */
  readonly statuses: Readonly<Record<number, number>>;
}

const { port, path, atOnce, count, perSecond } = workerData as Load;
const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
const statuses: Record<number, number> = {};
const body = '{"reason":"it went rogue"}';

function send(n: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (status: number): void => {
      statuses[status] = (statuses[status] ?? 0) + 1;
      resolve();
    };
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      authorization: perSecond !== undefined && n % 2 === 0 ? 'Bearer nobody' : 'Bearer mia',
    };
    const options = {
      agent,
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: path.replace('N', String(n)),
      headers,
    };
    request(options, (response) => response.resume().on('end', () => done(response.statusCode ?? 0)))
      .on('error', () => done(0))
      .end(body);
  });
}

const begun = performance.now();
let sent = 0;
let ended = false;
parentPort?.once('message', () => {
  ended = true;
});
if (count !== undefined) {
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (sent < count) await send(sent++);
    }),
  );
} else {
  const open = new Set<Promise<void>>();
  while (!ended) {
    const due = ((performance.now() - begun) / 1_000) * (perSecond ?? 0);
    while (sent < due && open.size < 4 * atOnce) {
      const sending = send(sent++).finally(() => open.delete(sending));
      open.add(sending);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(open);
}
parentPort?.postMessage({ seconds: (performance.now() - begun) / 1_000, statuses } satisfies Loaded);
parentPort?.close();
agent.destroy();
