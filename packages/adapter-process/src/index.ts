export type { AdoptOptions } from './adopt.ts';
export {
  InvalidHandleError,
  ProcUnreadableError,
  SignalRefusedError,
  SpawnFailedError,
  UncertainVictimError,
  UnreachableHandleError,
  UnsupportedPlatformError,
} from './errors.ts';
export { type ProcessHandle, processHandleSchema } from './handle.ts';
export { markVariable } from './mark.ts';
export type { ProcessRuntimeOptions } from './options.ts';
export { type ProcessRuntime, processRuntime } from './process-runtime.ts';
export type { AgentExit, SpawnedAgent, SpawnOptions } from './spawn-agent.ts';
