export type { AdoptOptions } from './adopt.ts';
export {
  AgentStoppedError,
  InvalidHandleError,
  ProcUnreadableError,
  SignalRefusedError,
  SpawnFailedError,
  UncertainVictimError,
  UnreachableHandleError,
  UnsupportedPlatformError,
} from './errors.ts';
export { type ProcessHandle, processHandleSchema } from './handle.ts';
export { type HostedHandle, hostedHandleSchema } from './hosted-handle.ts';
export type { HostedRuntime } from './hosted-runtime.ts';
export { markVariable } from './mark.ts';
export type { HostedRuntimeOptions, ProcessRuntimeOptions } from './options.ts';
export { type ProcessRuntime, processRuntime } from './process-runtime.ts';
export {
  type PromiseAgent,
  type PromiseRuntime,
  type PromiseWork,
  promiseRuntime,
} from './promise-runtime.ts';
export type { AgentExit, SpawnedAgent, SpawnOptions } from './spawn-agent.ts';
export {
  type WorkerAgent,
  type WorkerAgentData,
  type WorkerAgentOptions,
  type WorkerRuntime,
  type WorkerRuntimeOptions,
  workerRuntime,
} from './worker-runtime.ts';
