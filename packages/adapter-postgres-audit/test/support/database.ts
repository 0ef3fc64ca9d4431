import { randomUUID } from 'node:crypto';
import type { AuditQuery, AuditRecord, AuditSink } from '@agent-killswitch/core';
import { Client, Pool, type PoolConfig } from 'pg';
import { migrate } from '../../src/index.ts';

/** A database of its own on the test server. */
export interface TestDatabase {
  readonly url: string;
  /** A pool on it that `drop` ends. */
  pool(config?: PoolConfig): Pool;
  drop(): Promise<void>;
}

export async function makeDatabase(server: string, isMigrated = true): Promise<TestDatabase> {
  const name = `audit_${randomUUID().replaceAll('-', '')}`;
  await asAdmin(server, `CREATE DATABASE ${name}`);
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const pools: Pool[] = [];
  const database: TestDatabase = {
    url,
    pool(config = {}) {
      const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 5_000, ...config });
      pool.on('error', () => {});
      pools.push(pool);
      return pool;
    },
    async drop() {
      await Promise.all(pools.splice(0).map((pool) => pool.end()));
      await asAdmin(server, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
  if (isMigrated) await migrate(database.pool());
  return database;
}

export async function asAdmin(server: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

export async function recordsOf(sink: AuditSink, query?: AuditQuery): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for await (const record of sink.read(query)) records.push(record);
  return records;
}
