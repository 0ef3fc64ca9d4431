import { copyOptions, readSafely } from './option-reading.ts';
import type { CleanupStep } from './ports/cleanup-step.ts';
import type { Runtime } from './ports/runtime.ts';

/**
 * The runtime, with what it says of itself read once: a getter that throws later, in the middle of a kill, is met by nobody
 * (I5). Its methods are found anew at each call, where what that throws is contained.
 */
export function keptRuntime(path: string, runtime: Runtime, faults: string[]): Runtime {
  const said = readSafely(path, faults, () => {
    const { reach, canForce, stop, locate } = runtime;
    return { reach, canForce, canStop: stop !== undefined, canLocate: locate !== undefined };
  });
  // What cannot be read is a fault, and this is thrown away.
  const { reach = 'host', canForce = true, canStop = false, canLocate = false } = said ?? {};
  return {
    reach,
    canForce,
    kill: (handle, context) => runtime.kill(handle, context),
    force: (handle, context) => runtime.force(handle, context),
    inspect: (handle, context) => runtime.inspect(handle, context),
    ...(canStop && { stop: async (handle, context) => runtime.stop?.(handle, context) }),
    ...(canLocate && { locate: async (agentId, context) => runtime.locate?.(agentId, context) ?? [] }),
  };
}

/** The same of a cleanup step: its name and limits are read once. */
export function keptStep(path: string, step: CleanupStep, faults: string[]): CleanupStep {
  const said = readSafely(path, faults, () => ({ name: step.name, limits: step.limits }));
  const limits = copyOptions(`${path}.limits`, said?.limits, ['deadlineMs', 'tries', 'backoffMs'], faults);
  return {
    name: said?.name ?? '',
    ...(limits !== undefined && { limits: limits as NonNullable<CleanupStep['limits']> }),
    appliesTo: (agent) => step.appliesTo(agent),
    run: (agent, context) => step.run(agent, context),
  };
}
