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
  readonly name: string | undefined;
  readonly phase: Phase;
  /** In the engine's word, for example `restarting`. */
  readonly status: string;
  /** In which words the engine contradicts itself, if it does: nothing is to be believed of it, and it counts as living. */
  readonly contradiction: string | undefined;
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
  /** With a slash before it. */
  Name: z.string().max(4_096).optional(),
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
const begun = new Set(['running', 'paused']);

/** @throws ZodError for an answer of another shape. */
export function parseState(answer: unknown): ContainerState {
  const { Id, Name, State, Config, HostConfig } = schema.parse(answer);
  const policy = HostConfig.RestartPolicy?.Name ?? '';
  return {
    containerId: Id,
    name: Name?.replace(/^\//, ''),
    phase: phaseOf(State),
    status: State.Status,
    contradiction: contradictionIn(State),
    pid: State.Pid,
    restarts: policy !== '' && policy !== 'no',
    stopSignal: Config.StopSignal || 'SIGTERM',
    labels: Config.Labels ?? {},
  };
}

type State = z.infer<typeof schema>['State'];

/** No engine says so: they set all of it at once. It comes from one that is broken, or not from an engine. */
function contradictionIn({ Status, Running, Paused, Pid }: State): string | undefined {
  const isNoMore = ended.has(Status) || unstarted.has(Status);
  const isOdd = isNoMore ? Running || Paused || Pid !== 0 : begun.has(Status) && !Running;
  if (!isOdd) return undefined;
  return `${Status}, ${Running ? 'running' : 'not running'}${Paused ? ', paused' : ''}, with pid ${Pid}`;
}

/** Whatever is not surely over or never begun is alive. */
function phaseOf(state: State): Phase {
  if (state.Running || state.Paused || state.Restarting || state.Pid !== 0) return 'living';
  if (unstarted.has(state.Status)) return 'created';
  return ended.has(state.Status) ? 'ended' : 'living';
}
