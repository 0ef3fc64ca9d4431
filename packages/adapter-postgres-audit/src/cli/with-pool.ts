import { Pool } from 'pg';

/** A pool on the database for as long as `work` takes. It asks for nothing but reading. */
export async function withPool<T>(connectionString: string, work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = new Pool({
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
