/** @services docker */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { expect, it, onTestFinished, vi } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import { marked, Service } from './support/service.ts';

// Processes take their time to start on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const root = new URL('../../..', import.meta.url).pathname.replace(/\/$/, '');
/** The machine's own Node and libraries, since no image with them can be had. */
const volumes = [
  `${root}:${root}:ro`,
  '/usr/lib:/usr/lib:ro',
  '/lib:/lib:ro',
  '/lib64:/lib64:ro',
  `${tmpdir()}:${tmpdir()}`,
];

withService('docker', 'DOCKER_HOST', () => {
  it('D3: process 1 of a container that is stopped ends its agents, saves their checkpoints, and exits with 0', async () => {
    const name = `shutdown-${randomUUID()}`;
    const prefix = `${name}-`;
    const command = [
      'docker',
      'run',
      '--rm',
      '--name',
      name,
      ...volumes.flatMap((volume) => ['--volume', volume]),
    ];
    const service = new Service(
      { prefix, graceMs: 300, kinds: ['child', 'deaf child', 'forking child', 'session'] },
      [...command, process.env.DOCKER_TEST_IMAGE ?? '', process.execPath],
    );
    const docker = (...args: string[]) => promisify(execFile)('docker', args);
    onTestFinished(async () => {
      await docker('rm', '--force', name).catch(() => undefined);
      service.dispose();
    });
    await service.until('ready');
    expect((await service.until('pid')).pid).toBe(1);
    await service.until('saved');
    expect(marked(prefix).length).toBeGreaterThanOrEqual(4);
    await docker('stop', '--time', '30', name);
    expect(await service.ended()).toEqual({ code: 0, signal: null });
    expect(marked(prefix)).toEqual([]);
    expect((await service.record(`${prefix}3`))?.checkpoint?.json).toBe('"last words"');
    expect((await service.events()).filter(({ type }) => type === 'order.settled')).toMatchObject([
      { killed: 4 },
    ]);
  });
});
