import type Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { isRoot } from '../../../../scripts/services/user.ts';
import { withService } from '../../../../test/support/with-service.ts';
import { PrivateEngine } from './engines.ts';

/** What a suite finds in its engine; set before its tests run. */
export interface Ground {
  engine: PrivateEngine;
  docker: Docker;
  image: string;
  url: string;
}

/**
 * A suite with an engine of its own, in which it may do anything: whatever is left after a test is removed. Not the service that
 * `npm test` provides, which other files use at the same time, and which may be somebody's own: that only tells whether there can
 * be engines here.
 */
export function withEngine(suite: (ground: Ground) => void): void {
  withService('docker', 'DOCKER_HOST', () => {
    const define = isRoot ? describe : describe.skip;
    define(
      isRoot ? 'an engine of its own' : 'an engine of its own (skipped: only root can start one)',
      () => {
        const ground = {} as Ground;
        beforeAll(async () => {
          const engine = await PrivateEngine.start();
          Object.assign(ground, { engine, docker: engine.docker, image: engine.image, url: engine.url });
        });
        afterAll(() => ground.engine?.stop());
        afterEach(async () => {
          const left = () => ground.docker.listContainers({ all: true });
          // A cleanup may be at it too.
          const remove = ({ Id }: { Id: string }) =>
            ground.docker
              .getContainer(Id)
              .remove({ force: true })
              .catch(() => {});
          await Promise.all((await left()).map(remove));
          await expect.poll(left, { timeout: 10_000 }).toEqual([]);
        });
        suite(ground);
      },
    );
  });
}
