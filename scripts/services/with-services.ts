import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../lib/processes.ts';
import { clearFolder, folderPrefix, Ground } from './ground.ts';
import { Interruption } from './interruption.ts';
import { NamedServiceError, type Service, ServiceUnavailableError } from './service.ts';

export interface Provision {
  /** The environment by which tests find the services. */
  readonly env: Readonly<Record<string, string>>;
  /** Services that could not be had, and why. */
  readonly missing: readonly { readonly name: string; readonly why: string }[];
}

/**
 * Has the services there while `work` runs: those that an environment variable names as they are, the others started,
 * one after the other. Whatever was started is stopped however `work` ends, on signals too.
 * @throws Interrupted if a signal came before `work` had begun.
 */
export async function withServices<T>(
  wanted: readonly Service[],
  work: (provision: Provision) => Promise<T>,
): Promise<T> {
  if (wanted.length === 0) return work({ env: {}, missing: [] });
  await clearLeftovers();
  const interruption = new Interruption();
  const ground = await Ground.make();
  try {
    return await work(await interruption.orElse(provide(wanted, ground)));
  } finally {
    await ground.stop();
    interruption.end();
  }
}

async function provide(wanted: readonly Service[], ground: Ground): Promise<Provision> {
  const env: Record<string, string> = {};
  const missing: { name: string; why: string }[] = [];
  for (const service of wanted) {
    const since = performance.now();
    const named = process.env[service.variable];
    try {
      const url = named ? await probeNamed(service, named) : await service.start(ground);
      Object.assign(env, { [service.variable]: url }, await service.furnish?.(url, ground));
      const how = named ? `as ${service.variable} names it` : 'started';
      process.stderr.write(
        `services: ${service.name} ${how} (${Math.round(performance.now() - since)} ms)\n`,
      );
    } catch (error) {
      if (!(error instanceof ServiceUnavailableError)) throw error;
      process.stderr.write(
        `services: NO ${service.name.toUpperCase()}: ${error.message}. Its tests are skipped.\n`,
      );
      missing.push({ name: service.name, why: error.message });
    }
  }
  return { env, missing };
}

async function probeNamed(service: Service, url: string): Promise<string> {
  await service.probe(url).catch((error) => {
    throw new NamedServiceError(service.variable, error);
  });
  return url;
}

/** Clears what runs that were killed outright have left behind. */
async function clearLeftovers(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(folderPrefix));
  for (const folder of names.map((name) => join(tmpdir(), name))) {
    const owner = await readFile(join(folder, 'owner'), 'utf8').catch(() => undefined);
    if (owner === undefined || isAlive(JSON.parse(owner))) continue;
    process.stderr.write(`services: clearing ${folder}, left behind by a run that is gone\n`);
    await clearFolder(folder);
  }
}
