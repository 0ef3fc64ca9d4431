/** A disk that takes nothing any more, under a killswitch: noticed at once, told, and in no kill's way (I4, I5, I6). */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditSink, createKillswitch } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import { expect, it, onTestFinished } from 'vitest';
import { fileJournal, journaled } from '../src/index.ts';
import { mayMount, memoryFileSystem, run } from './mounts.ts';
import { recordsOf } from './temporary.ts';

const principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] } as const;

const disks = {
  'is full': {
    spoil: (directory: string) => writeFile(join(directory, 'fill'), 'x'.repeat(2 ** 21)).catch(() => {}),
    mend: (directory: string) => rm(join(directory, 'fill')),
  },
  'is read-only': {
    // One with open files cannot be made read-only, so one is put over it.
    spoil: async (directory: string) => void run('mount', '-t', 'tmpfs', '-o', 'ro', 'tmpfs', directory),
    mend: async (directory: string) => void run('umount', directory),
  },
};

const behind = {
  alone: (directory: string): AuditSink & { close(): Promise<void> } => fileJournal(directory),
  'before a sink that is down': (directory: string) => {
    const sink = memoryAudit();
    const isDown = { ...sink, append: () => Promise.reject(new Error('down')) };
    return journaled(isDown, fileJournal(directory), { onNews: () => {} });
  },
};

for (const [disk, { spoil, mend }] of Object.entries(disks))
  for (const [place, journalIn] of Object.entries(behind))
    it.skipIf(!mayMount)(
      `a journal ${place} whose disk ${disk}: kills go on, each event is told once, and is on record after${mayMount ? '' : ' (skipped: needs to mount file systems)'}`,
      async () => {
        const directory = await memoryFileSystem('1m');
        const audit = journalIn(directory);
        const runtime = memoryRuntime();
        const lines: string[] = [];
        const ks = createKillswitch({
          hostId: 'node-1',
          state: memoryState(),
          audit,
          runtimes: { memory: runtime },
          lastResort: (line) => lines.push(line),
        });
        onTestFinished(async () => {
          await ks.close().catch(() => undefined);
          await audit.close();
        });
        let degradedAt = 0;
        ks.on('audit-degraded', () => {
          degradedAt ||= performance.now();
        });
        const restored = new Promise<void>((resolve) => ks.on('audit-restored', () => resolve()));
        await ks.start();
        const agents = Array.from({ length: 5 }, (_, n) => `agent-${n}`);
        for (const agentId of agents) {
          await ks.admit({ agentId, taskId: agentId, workspaceId: 'acme', ownerId: 'mia' });
          await ks.running(agentId, [runtime.spawn()]);
        }
        await spoil(directory);
        const began = performance.now();
        const reports = [];
        for (const agentId of agents)
          reports.push(
            await ks.kill({ agent: agentId }, { principal, reason: 'größer'.repeat(300), waitMs: 300 }),
          );
        expect(degradedAt - began).toBeLessThan(1_000);
        for (const { outcomes } of reports) expect(outcomes).toMatchObject([{ outcome: 'confirmed' }]);
        await mend(directory);
        await restored;
        const told = lines.map((line) => JSON.parse(line).id);
        expect(told.length).toBeGreaterThan(0);
        expect(new Set(told).size).toBe(told.length);
        const undelivered = audit.readUndelivered?.bind(audit);
        const records = await recordsOf(undelivered ? { ...audit, read: undelivered } : audit);
        const ids = records.map(({ event }) => event.id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const type of ['order.requested', 'agent.killed'])
          expect(records.filter(({ event }) => event.type === type)).toHaveLength(agents.length);
        expect(ids).toEqual(expect.arrayContaining(told));
      },
    );
