import { z } from 'zod';
import { containerIdSchema } from './container-id.ts';

/**
 * `created`: it has never run, and could be started. `living`: it runs, is paused, or is about to run again. `ended`: it
 * runs no more, and the engine has no mind to run it again.
 */
export type Phase = 'created' | 'living' | 'ended';

/** A container as its engine describes it. */
export interface ContainerState {
  readonly containerId: string;
  readonly phase: Phase;
  /** In the engine's word, for example `restarting`. */
  readonly status: string;
  /** Of its first process, as the engine counts; 0 if it does not run. */
  readonly pid: number;
  /** The engine would start it again when it ends. */
  readonly restarts: boolean;
  /** What asks it to end. */
  readonly stopSignal: string;
  readonly labels: Readonly<Record<string, string>>;
}

const schema = z.object({
  Id: containerIdSchema,
  State: z.object({
    Status: z.string().max(40),
    Running: z.boolean(),
    Paused: z.boolean().default(false),
    Restarting: z.boolean().default(false),
    Pid: z.number().int().nonnegative(),
  }),
  Config: z.object({
    StopSignal: z.string().max(40).nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
  HostConfig: z.object({ RestartPolicy: z.object({ Name: z.string() }).nullish() }),
});

const unstarted = new Set(['created', 'configured', 'initialized']);
const ended = new Set(['exited', 'stopped', 'dead', 'removing']);

/** @throws ZodError for an answer of another shape. */
export function parseState(answer: unknown): ContainerState {
  const { Id, State, Config, HostConfig } = schema.parse(answer);
  const policy = HostConfig.RestartPolicy?.Name ?? '';
  return {
    containerId: Id,
    phase: phaseOf(State),
    status: State.Status,
    pid: State.Pid,
    restarts: policy !== '' && policy !== 'no',
    stopSignal: Config.StopSignal || 'SIGTERM',
    labels: Config.Labels ?? {},
  };
}

/** Whatever is not surely over or never begun is alive. */
function phaseOf(state: z.infer<typeof schema>['State']): Phase {
  if (state.Running || state.Paused || state.Restarting) return 'living';
  if (unstarted.has(state.Status)) return 'created';
  return ended.has(state.Status) ? 'ended' : 'living';
}
