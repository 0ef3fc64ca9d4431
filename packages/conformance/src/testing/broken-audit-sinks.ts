import type { AuditRecord, AuditSink } from '@agent-killswitch/core';
import type { AuditSinkFactory } from '../audit-sink.ts';
import { type Bug, soundAudit } from './audit-sink-parts.ts';
import { bugsInAppends } from './bugs-in-appends.ts';
import { bugsInReads } from './bugs-in-reads.ts';
import { bugsInVerify } from './bugs-in-verify.ts';

export { answering } from './audit-sink-parts.ts';

/** For every clause at least one bug that it must find. */
export const bugs: Record<string, Record<string, Bug>> = {
  ...bugsInAppends,
  ...bugsInReads,
  ...bugsInVerify,
};

/** A sink over an array, with a bug or sound. */
export function brokenFactory(bug: Bug = () => ({})): AuditSinkFactory {
  let sink: AuditSink;
  return {
    async open() {
      const records: AuditRecord[] = [];
      const sound = soundAudit(records);
      const parts = { ...sound, ...bug(sound, records) };
      sink = {
        append: (events) => parts.append(events),
        read: (query = {}) => parts.read(query),
        open: () => parts.open(),
        heads: () => parts.heads(),
        verify: (request = {}) => parts.verify(request),
      };
      return sink;
    },
    reopen: async () => sink,
  };
}
