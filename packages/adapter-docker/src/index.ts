export type { AdoptOptions } from './adopt.ts';
export type { ContainerClient, DockerClient } from './client.ts';
export { type ContainerRemovalOptions, containerRemoval, containerResource } from './container-removal.ts';
export { type DockerRuntime, dockerRuntime } from './docker-runtime.ts';
export {
  AgentStoppedError,
  EngineAnswerError,
  EngineDeniedError,
  EngineFailedError,
  EngineRefusedError,
  EngineSilentError,
  EngineUnreachableError,
  InvalidHandleError,
  LocalKillError,
  SandboxFailedError,
} from './errors.ts';
export { type DockerHandle, dockerHandleSchema } from './handle.ts';
export { agentLabels } from './labels.ts';
export type { DockerRuntimeOptions } from './options.ts';
export type { Sandbox } from './sandbox.ts';
export { type SandboxOptions, sandboxOptionsSchema } from './sandbox-options.ts';
export { type Orphan, type SweepOptions, type SweepReport, sweepOrphans } from './sweep-orphans.ts';
