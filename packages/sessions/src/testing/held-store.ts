import { memorySessions } from '../memory-sessions.ts';
import type { SessionRecord } from '../session-record.ts';
import type { SessionStore } from '../session-store.ts';

/** A store whose puts of such records wait until they are let go; `putting` resolves when the first one has come. */
export function heldStore(isHeld: (record: SessionRecord) => boolean = () => true) {
  const inner = memorySessions();
  const putting = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const store: SessionStore = {
    ...inner,
    async put(record) {
      if (isHeld(record)) {
        putting.resolve();
        await go.promise;
      }
      await inner.put(record);
    },
  };
  return { inner, store, putting: putting.promise, letGo: () => go.resolve() };
}
