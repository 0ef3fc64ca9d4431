import type { AuditSink } from '@agent-killswitch/core';
import { memoryAudit } from '@agent-killswitch/core/memory';
import { describe, expect, it } from 'vitest';
import { type AuditSinkFactory, auditSinkClauses } from './audit-sink.ts';
import { ConformanceError } from './clause.ts';
import { answering, brokenFactory, bugs } from './testing/broken-audit-sinks.ts';

const memoryFactory = (): AuditSinkFactory => {
  let sink: AuditSink;
  return {
    open: async () => {
      sink = memoryAudit();
      return sink;
    },
    reopen: async () => sink,
  };
};

describe('memoryAudit keeps every promise', () => {
  for (const clause of auditSinkClauses) it(clause.name, () => clause.run(memoryFactory()));
});

describe('each clause fails a sink that breaks it', () => {
  it('knows a bug for every clause', () => {
    expect(Object.keys(bugs)).toEqual(auditSinkClauses.map((clause) => clause.name));
  });
  for (const clause of auditSinkClauses) {
    describe(clause.name, () => {
      for (const [name, bug] of Object.entries(bugs[clause.name] ?? {})) {
        it(name, () => expect(clause.run(brokenFactory(bug))).rejects.toThrow());
      }
    });
  }
});

it('the frame of the broken sinks is itself sound', async () => {
  for (const clause of auditSinkClauses) await clause.run(brokenFactory());
});

it('says what was expected, and rejects where the factory lacks what a clause needs', async () => {
  const [first] = auditSinkClauses;
  await expect(first?.run(brokenFactory(answering(() => [])))).rejects.toThrow(ConformanceError);
  const reopening = auditSinkClauses.find((clause) => clause.needs === 'reopen');
  await expect(reopening?.run({ open: async () => memoryAudit() })).rejects.toThrow(/"reopen"/);
});
