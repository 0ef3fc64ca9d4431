import type { Pool } from 'pg';

/**
 * A pool on the database for as long as `work` takes. It asks for nothing but reading. Who looks at journals only needs
 * no `pg`: it is loaded here.
 */
export async function withPool<T>(connectionString: string, work: (pool: Pool) => Promise<T>): Promise<T> {
  const { default: pg } = await import('pg').catch((error: unknown) => {
    throw new Error('a database needs the package pg beside this one: npm install pg', { cause: error });
  });
  const pool = new pg.Pool({
    connectionString,
    max: 2,
    connectionTimeoutMillis: 10_000,
    options: '-c default_transaction_read_only=on',
    application_name: 'agent-killswitch-audit',
  });
  pool.on('error', () => {});
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}
