import type { Handle } from '../agent.ts';
import type { Observation, Runtime } from '../ports/runtime.ts';

/**
 * How an agent in memory takes a kill: `graceful` ends when it is asked to, `cooperative` only when it is killed, `stubborn` dies only when forced, `immortal` never
 * dies, `hung` never lets a call come back, `failing` makes every call throw.
 */
export type MemoryBehaviour = 'graceful' | 'cooperative' | 'stubborn' | 'immortal' | 'hung' | 'failing';

/** A runtime whose agents exist in memory only, for unit tests of services that embed the killswitch. */
export interface MemoryRuntime extends Runtime {
  /** Starts one and returns its handle. */
  spawn(behaviour?: MemoryBehaviour): Handle;
  isAlive(handle: Handle): boolean;
  /** Lets it end by itself. */
  end(handle: Handle): void;
}

/** `name`: what the handles carry in `runtime`; default `memory`. */
export function memoryRuntime(name = 'memory'): MemoryRuntime {
  const alive = new Map<number, MemoryBehaviour>();
  let count = 0;

  const idOf = (handle: Handle): number => {
    const id = handle.id;
    if (handle.runtime !== name || typeof id !== 'number')
      throw new TypeError(`Not a handle of runtime "${name}"`);
    return id;
  };

  const demand = async (handle: Handle, deadly: readonly MemoryBehaviour[]): Promise<void> => {
    const id = idOf(handle);
    const behaviour = alive.get(id);
    if (behaviour === 'hung') await new Promise(() => undefined);
    if (behaviour === 'failing') throw new Error('the runtime failed');
    if (behaviour !== undefined && deadly.includes(behaviour)) alive.delete(id);
  };

  return {
    reach: 'host',
    canForce: true,
    stop: (handle) => demand(handle, ['graceful']),
    kill: (handle) => demand(handle, ['graceful', 'cooperative']),
    force: (handle) => demand(handle, ['graceful', 'cooperative', 'stubborn']),
    async inspect(handle): Promise<Observation> {
      const id = idOf(handle);
      await demand(handle, []);
      return alive.has(id)
        ? { state: 'alive', evidence: `agent ${id} is in memory` }
        : { state: 'dead', evidence: `agent ${id} is gone from memory` };
    },
    spawn(behaviour = 'cooperative') {
      const id = count++;
      alive.set(id, behaviour);
      return { runtime: name, id };
    },
    isAlive: (handle) => alive.has(idOf(handle)),
    end(handle) {
      alive.delete(idOf(handle));
    },
  };
}
