import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { sqliteState } from '../src/index.ts';
import { migrate, versionOf } from '../src/migrate.ts';
import { migrations } from '../src/schema.ts';
import { agentOf } from './records.ts';
import { Child, opened, temporaryFolder } from './support.ts';

const second = 'CREATE TABLE added (a TEXT) STRICT';
const third = `INSERT INTO added SELECT agent_id FROM agents`;

it('takes a file from each version to the next and keeps what is in it', async () => {
  const file = join(temporaryFolder(), 'state.db');
  const store = sqliteState(file);
  await store.admit(agentOf('a'));
  store.close();
  const database = new DatabaseSync(file);
  expect(versionOf(database)).toBe(1);
  migrate(database, file, [...migrations, second]);
  expect(versionOf(database)).toBe(2);
  migrate(database, file, [...migrations, second, third]);
  expect(versionOf(database)).toBe(3);
  expect(database.prepare('SELECT a FROM added').all()).toEqual([{ a: 'a' }]);
  database.close();
});

it('takes an empty database through every version', () => {
  const database = new DatabaseSync(':memory:');
  for (const [at] of migrations.entries()) migrate(database, 'memory', migrations.slice(0, at + 1));
  expect(versionOf(database)).toBe(migrations.length);
  database.close();
});

it('a migration that fails leaves the file as it was', () => {
  const file = join(temporaryFolder(), 'state.db');
  sqliteState(file).close();
  const database = new DatabaseSync(file);
  expect(() => migrate(database, file, [...migrations, second, 'CREATE TABLE gates (again)'])).toThrow(
    'gates',
  );
  expect(versionOf(database)).toBe(1);
  expect(database.prepare("SELECT name FROM sqlite_schema WHERE name = 'added'").all()).toEqual([]);
  database.close();
  sqliteState(file).close();
});

it('processes that upgrade at the same time migrate once', async () => {
  const file = join(temporaryFolder(), 'state.db');
  sqliteState(file).close();
  const children = Array.from(
    { length: 4 },
    () => new Child('opener', [file, second, 'INSERT INTO added VALUES (1)']),
  );
  expect(await Promise.all(children.map((child) => child.hear()))).toEqual(['3', '3', '3', '3']);
  // They are ending: the last one to go holds the file for a moment.
  const database = new DatabaseSync(file, { timeout: 5_000 });
  expect(database.prepare('SELECT count(*) AS rows FROM added').get()).toEqual({ rows: 1 });
  database.close();
});

it('a client that was open during an upgrade by another writes no more', async () => {
  const file = join(temporaryFolder(), 'state.db');
  const store = opened(file);
  expect(await store.admit(agentOf('a'))).toEqual({ result: 'admitted' });
  expect(await new Child('opener', [file, second]).hear()).toBe('2');
  await expect(store.admit(agentOf('b'))).rejects.toMatchObject({ code: 'state-version' });
  expect(await store.getAgent('b')).toBeUndefined();
});
