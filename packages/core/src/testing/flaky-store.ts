import type { StateStore } from '../ports/state-store.ts';

/** How a host gets on with its store: `up`; `down`, every call rejects; `hung`, none is answered. */
export type Reach = 'up' | 'down' | 'hung';

/** The store as one host reaches it. */
export function flakyStore(store: StateStore): { readonly state: StateStore; reach: Reach } {
  const link: { state: StateStore; reach: Reach } = {
    reach: 'up',
    state: new Proxy(store, {
      get(target, name) {
        const member = Reflect.get(target, name) as ((...args: unknown[]) => unknown) | undefined;
        if (member === undefined) return undefined;
        return (...args: unknown[]) => {
          if (link.reach === 'up' || name === 'watch') return member.apply(target, args);
          if (link.reach === 'down') return Promise.reject(new Error('connection refused'));
          return new Promise(() => undefined);
        };
      },
    }),
  };
  return link;
}
