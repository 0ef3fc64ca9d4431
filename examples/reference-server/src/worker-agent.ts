// The demo agents that are worker threads: see `behaviours.ts`.
import { spawn } from 'node:child_process';
import { workerData } from 'node:worker_threads';
import type { WorkerAgentData } from '@agent-killswitch/adapter-process';
import { type Behaviour, scripts } from './behaviours.ts';

const { signal, data } = workerData as WorkerAgentData & {
  readonly data: { readonly behaviour: Behaviour; readonly cwd: string };
};

const spin = (): never => {
  for (;;);
};

const agents: Readonly<Record<Behaviour, () => void>> = {
  cooperative() {
    const work = setInterval(() => undefined, 1_000);
    signal.addEventListener('abort', () => clearInterval(work));
  },
  stubborn: spin,
  forking() {
    spawn('/bin/sh', ['-c', scripts.forking], { cwd: data.cwd, detached: true, stdio: 'ignore' });
    setTimeout(spin, 100);
  },
  finishing() {
    setTimeout(() => undefined, 1_000);
  },
  lingering() {
    const work = setInterval(() => undefined, 1_000);
    signal.addEventListener('abort', () => setTimeout(() => clearInterval(work), 2_000));
  },
};

agents[data.behaviour]();
