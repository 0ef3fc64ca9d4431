import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, it } from 'vitest';
import { sqliteState } from '../src/index.ts';
import { agentOf } from './records.ts';
import { Child, opened, temporaryFolder } from './support.ts';

let file = '';
beforeEach(() => {
  file = join(temporaryFolder(), 'state.db');
});

/** Opening rejects with this code, naming the file, and changes neither the file nor what lies beside it. */
function expectRefused(code: string, path = file): void {
  const before = picture(path);
  let thrown: unknown;
  try {
    sqliteState(path, { busyMs: 50 }).close();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code });
  expect(String(thrown)).toContain(path);
  expect(picture(path)).toEqual(before);
}

function picture(path: string): unknown {
  const beside = statSync(dirname(path)).isDirectory() ? readdirSync(dirname(path)) : [];
  const content = statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path) : '';
  return [beside.toSorted(), createHash('sha256').update(content).digest('hex')];
}

async function filled(): Promise<void> {
  const store = sqliteState(file);
  for (let at = 0; at < 300; at += 1) await store.admit(agentOf(`a${at}`));
  store.close();
}

describe('a new file', () => {
  it('is made with its folders, readable by its owner only, and leaves nothing else behind', async () => {
    const deep = join(dirname(file), 'one', 'two', 'state.db');
    const store = opened(deep);
    await store.admit(agentOf('a'));
    expect(statSync(deep).mode & 0o777).toBe(0o600);
    expect(statSync(`${deep}-wal`).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(deep)).mode & 0o777).toBe(0o700);
    store.close();
    expect(readdirSync(dirname(deep))).toEqual(['state.db']);
  });

  it('is one and the same for processes that make it at the same time', async () => {
    const children = Array.from({ length: 4 }, (_, at) => new Child('admitter', [file, `c${at}`]));
    for (const child of children) expect(await child.hear()).toBe('ready');
    for (const child of children) child.tell('w');
    for (const child of children) expect(await child.hear()).toBe('begun');
    const found = await opened(file).listAgents('workspace:w', { limit: 1_000 });
    expect(new Set(found.items.map((agent) => agent.agentId.slice(0, 4)))).toEqual(
      new Set(['w-c0', 'w-c1', 'w-c2', 'w-c3']),
    );
  });

  it('is not made in memory by accident', () => {
    for (const path of ['', ':memory:']) {
      expect(() => sqliteState(path)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
    }
    expect(() => sqliteState(file, { busyMs: -1 })).toThrow('busyMs');
    expect(() => sqliteState(file, { watchMs: Number.NaN })).toThrow('watchMs');
  });
});

describe('a file that is refused', () => {
  it('state-file: a folder, or a path below a file', () => {
    mkdirSync(file);
    expectRefused('state-file');
    writeFileSync(join(file, 'plain'), 'x');
    expectRefused('state-file', join(file, 'plain', 'state.db'));
  });

  it('state-file: something other than SQLite', () => {
    writeFileSync(file, 'not a database at all, but long enough to be read as a header'.repeat(99));
    expectRefused('state-file');
  });

  it('state-file: the database of another application, also one in WAL mode with a log', () => {
    const other = new DatabaseSync(file);
    other.exec('CREATE TABLE mine (a); PRAGMA application_id = 7');
    expectRefused('state-file');
    other.exec('PRAGMA journal_mode = WAL; INSERT INTO mine VALUES (1)');
    expectRefused('state-file');
    other.close();
  });

  it('state-file: an empty file, since that may be one that lost its gates (I9)', () => {
    writeFileSync(file, '');
    expectRefused('state-file');
  });

  it.each([0, 50, 4_096, 40_000])('state-file: one truncated to %i bytes', async (size) => {
    await filled();
    truncateSync(file, size);
    expectRefused('state-file');
  });

  it('state-file: one whose schema is overwritten', async () => {
    await filled();
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0x5a, 100, 4_096));
    expectRefused('state-file');
  });

  it('state-version: one of a newer version', () => {
    sqliteState(file).close();
    const newer = new DatabaseSync(file);
    newer.exec('PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE)');
    newer.close();
    expectRefused('state-version');
  });

  it('state-busy: one that somebody holds exclusively', () => {
    sqliteState(file).close();
    const holder = new DatabaseSync(file);
    holder.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE');
    expectRefused('state-busy');
    holder.exec('ROLLBACK');
    holder.close();
    sqliteState(file).close();
  });

  it('state-read-only: a file or a folder that this user may not write', async () => {
    sqliteState(file).close();
    const folder = dirname(file);
    const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const refusal = async (fileMode: number, folderMode: number) => {
      chmodSync(file, fileMode);
      chmodSync(folder, folderMode);
      const before = picture(file);
      const said = await new Child('opener', [file], asNobody).hear();
      expect(picture(file)).toEqual(before);
      chmodSync(folder, 0o700);
      return said;
    };
    expect(await refusal(0o444, 0o777)).toBe('state-read-only');
    expect(await refusal(0o666, 0o555)).toBe('state-read-only');
  });

  it('state-read-only: a new file in a folder that this user may not write', async () => {
    const folder = dirname(file);
    chmodSync(folder, 0o555);
    const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const said = await new Child('opener', [join(folder, 'new', 'state.db')], asNobody).hear();
    chmodSync(folder, 0o700);
    expect(said).toBe('state-read-only');
    expect(readdirSync(folder)).toEqual([]);
  });
});
