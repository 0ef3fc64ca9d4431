import { processRuntime } from '@agent-killswitch/adapter-process';
import type { Runtime } from '@agent-killswitch/core';
import { dockerLauncher } from './launch-docker.ts';
import { processLauncher } from './launch-process.ts';
import { promiseLauncher } from './launch-promise.ts';
import { workerLauncher } from './launch-worker.ts';
import type { Launcher } from './launcher.ts';
import type { Sandboxes } from './sandboxes.ts';

/** What an agent can be: the word for it in a request, and the name of its runtime in its handles. */
export const runtimeNames = ['process', 'worker', 'promise', 'docker'] as const;
export type RuntimeName = (typeof runtimeNames)[number];

/** Without `docker` where sandboxes are not enabled. */
export type Launchers = Readonly<Partial<Record<RuntimeName, Launcher>>>;

export function makeLaunchers(sandboxes: Sandboxes | undefined): Launchers {
  const processes = processRuntime();
  return {
    process: processLauncher(processes),
    worker: workerLauncher(processes),
    promise: promiseLauncher(),
    ...(sandboxes === undefined ? {} : { docker: dockerLauncher(sandboxes) }),
  };
}

export function runtimesOf(launchers: Launchers): Record<string, Runtime> {
  return Object.fromEntries(Object.entries(launchers).map(([name, { runtime }]) => [name, runtime]));
}
