import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import Docker from 'dockerode';
import { dockerCli } from '../scripts/services/docker.ts';

/** Ignores SIGTERM, with a child that does too. */
const stubborn = `trap '' TERM; sh -c "trap '' TERM; while :; do sleep 60; done" & while :; do sleep 60; done`;

/**
 * Before each measurement: fifty starts have left the engine work, and so has the set before, which it is asked about for some
 * seconds yet.
 */
const quietMs = 8_000;

export interface Timed {
  /** Until no process of any container was left, seen from outside. */
  readonly deadMs: number;
  /** Until the answer. */
  readonly doneMs: number;
}

/** Makes sets of stubborn containers, and times how they are ended. */
export class DockerBed {
  readonly docker: Docker;
  readonly #url: string;
  readonly #image: string;
  #sets = 0;

  constructor(url: string, image: string) {
    this.#url = url;
    this.#image = image;
    this.docker = new Docker({ socketPath: url.slice('unix://'.length) });
  }

  /** What is timed is only what `prepare` returns. All containers of a set have one parent cgroup, which shows the last death. */
  async time(
    count: number,
    prepare: (ids: readonly string[]) => Promise<() => Promise<unknown>>,
  ): Promise<Timed> {
    this.#sets += 1;
    const { CgroupDriver } = (await this.docker.info()) as { CgroupDriver: string };
    const set = `killswitchbench${process.pid}x${this.#sets}`;
    const parent = CgroupDriver === 'systemd' ? `${set}.slice` : `/${set}`;
    const ids: string[] = [];
    for (let n = 0; n < count; n++) ids.push(await this.#start(parent));
    const end = await prepare(ids);
    await sleep(quietMs);
    const lastDeath = await watchEmptiness(await this.#eventsOf(ids[0] ?? ''));
    const since = Date.now();
    await end();
    const doneMs = Date.now() - since;
    const deadMs = (await lastDeath()) - since;
    await dockerCli(this.#url, ['rm', '--force', ...ids]).catch(() => '');
    return { deadMs, doneMs };
  }

  cli(...args: string[]): Promise<string> {
    return dockerCli(this.#url, args);
  }

  async #start(parent: string): Promise<string> {
    const container = await this.docker.createContainer({
      Image: this.#image,
      Cmd: ['sh', '-c', stubborn],
      HostConfig: { CgroupParent: parent },
    });
    await container.start();
    return container.id;
  }

  /** The file that says whether anything lives in the set's parent cgroup. */
  async #eventsOf(id: string): Promise<string> {
    const { State } = await this.docker.getContainer(id).inspect();
    const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${State.Pid}/cgroup`, 'utf8'))?.[1];
    const mount = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .find((line) => / - cgroup2 /.test(line));
    const point = mount?.split(' ')[4];
    if (path === undefined || point === undefined)
      throw new Error('This bench needs a local engine and cgroup v2');
    return join(point, dirname(path), 'cgroup.events');
  }
}

const watcher = `
  const { readFileSync } = require('node:fs');
  const { parentPort, workerData } = require('node:worker_threads');
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const lives = () => { try { return /^populated 1$/m.test(readFileSync(workerData, 'latin1')); } catch { return false; } };
  if (!lives()) throw new Error('nothing lives in ' + workerData);
  parentPort.postMessage('ready');
  while (lives()) Atomics.wait(cell, 0, 0, 1);
  parentPort.postMessage(Date.now());
`;

/** Starts to look, from a thread of its own; what it returns answers when nothing lived any more. */
async function watchEmptiness(events: string): Promise<() => Promise<number>> {
  const worker = new Worker(watcher, { eval: true, workerData: events });
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  await next();
  const emptied = next();
  return async () => (await emptied) as number;
}
