import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditSinkFactory, auditSinkClauses } from '@agent-killswitch/conformance';
import { describe, it } from 'vitest';
import { type FileJournal, fileJournal } from '../src/index.ts';

function factory(): AuditSinkFactory {
  let directory: string;
  let journal: FileJournal;
  return {
    async open() {
      directory = await mkdtemp(join(tmpdir(), 'file-audit-'));
      journal = fileJournal(directory);
      return journal;
    },
    async reopen() {
      await journal.close();
      journal = fileJournal(directory);
      return journal;
    },
    async close() {
      await journal.close();
      await rm(directory, { recursive: true });
    },
  };
}

describe('fileJournal keeps the promises of an audit sink', () => {
  for (const clause of auditSinkClauses) it(clause.name, () => clause.run(factory()));
});
