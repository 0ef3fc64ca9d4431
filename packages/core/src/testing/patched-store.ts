import type { StateStore } from '../ports/state-store.ts';

/** The same store but for some of its calls. */
export function patchedStore(store: StateStore, patch: Partial<StateStore>): StateStore {
  return new Proxy(store, {
    get: (target, name: keyof StateStore) =>
      patch[name] ?? (target[name] as ((...args: never[]) => unknown) | undefined)?.bind(target),
  });
}
