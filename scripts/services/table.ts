import { chromium } from './chromium.ts';
import { docker } from './docker.ts';
import { postgres } from './postgres.ts';
import { redis } from './redis.ts';
import type { Service } from './service.ts';
import { valkey } from './valkey.ts';

/** Every real service that tests can ask for. A new one is a file like those above and a word here. */
export const services: readonly Service[] = [valkey, redis, postgres, docker, chromium];

/** @throws RangeError naming the services there are. */
export function serviceNamed(name: string): Service {
  const service = services.find((candidate) => candidate.name === name);
  if (service !== undefined) return service;
  throw new RangeError(`No service "${name}"; there are ${services.map((known) => known.name).join(', ')}`);
}
