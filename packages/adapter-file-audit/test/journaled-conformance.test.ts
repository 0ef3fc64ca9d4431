import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditSinkFactory, auditSinkClauses } from '@agent-killswitch/conformance';
import type { AuditSink } from '@agent-killswitch/core';
import { memoryAudit } from '@agent-killswitch/core/memory';
import { describe, it } from 'vitest';
import { fileJournal, type JournaledAudit, journaled } from '../src/index.ts';

function factory(): AuditSinkFactory {
  let directory: string;
  let sink: AuditSink;
  let audit: JournaledAudit;
  return {
    async open() {
      directory = await mkdtemp(join(tmpdir(), 'journaled-'));
      sink = memoryAudit();
      audit = journaled(sink, fileJournal(directory), { maxFileEvents: 7 });
      return audit;
    },
    async reopen() {
      await audit.close();
      audit = journaled(sink, fileJournal(directory), { maxFileEvents: 7 });
      return audit;
    },
    async close() {
      await audit.close();
      await rm(directory, { recursive: true });
    },
  };
}

describe('a journaled sink keeps the promises of an audit sink', () => {
  for (const clause of auditSinkClauses) it(clause.name, () => clause.run(factory()));
});
