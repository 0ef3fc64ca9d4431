import { availableParallelism } from 'node:os';

/** Does all of it, as many at a time as there are cores, each worker with a resource of its own that it closes. */
export async function inTurn<T, R extends { close(): Promise<void> }>(
  items: readonly T[],
  open: () => R,
  each: (item: T, resource: R) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const work = async (): Promise<void> => {
    const resource = open();
    try {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await each(item, resource);
    } finally {
      await resource.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), items.length) }, work));
}
