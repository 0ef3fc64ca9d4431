import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditQuery, AuditRecord, AuditSink } from '@agent-killswitch/core';
import { onTestFinished } from 'vitest';

/** A directory that is removed when the test has finished. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'file-audit-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export async function recordsOf(sink: AuditSink, query?: AuditQuery): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for await (const record of sink.read(query)) records.push(record);
  return records;
}

export async function idsOf(sink: AuditSink): Promise<number[]> {
  return (await recordsOf(sink)).map((record) => Number(record.event.id));
}
