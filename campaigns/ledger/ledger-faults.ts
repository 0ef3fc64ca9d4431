import { setTimeout as pause } from 'node:timers/promises';
import type { OwnPostgres } from '../../test/support/own-postgres.ts';
import type { SeededRandom } from '../seeded-random.ts';

/** The role that the writers of the campaign connect as. */
export const writerRole = 'ledger_writer';

export interface Stage {
  readonly server: OwnPostgres;
  /** Runs a statement as the server's superuser. */
  query(sql: string): Promise<unknown>;
  /** Kills the writing process, and has another one go on. */
  killWriter(): Promise<void>;
}

export const ledgerFaults = ['killed', 'stopped', 'refusing', 'no connections', 'writer killed'] as const;
export type LedgerFault = (typeof ledgerFaults)[number];

/** Inflicts the fault for a time of chance; afterwards Postgres is as before. */
export async function inflict(fault: LedgerFault, stage: Stage, random: SeededRandom): Promise<void> {
  const ms = random.integer(50, 900);
  switch (fault) {
    case 'killed':
      await stage.server.kill();
      await pause(ms / 4);
      return stage.server.start();
    case 'stopped':
      await stage.server.freeze();
      await pause(ms);
      return stage.server.thaw();
    case 'refusing':
      return during(stage, ms, 'NOLOGIN', 'LOGIN');
    case 'no connections':
      return during(stage, ms, 'CONNECTION LIMIT 0', 'CONNECTION LIMIT -1');
    case 'writer killed':
      return stage.killWriter();
  }
}

async function during(stage: Stage, ms: number, bad: string, good: string): Promise<void> {
  await stage.query(`ALTER ROLE ${writerRole} ${bad}`);
  await stage.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${writerRole}'`);
  await pause(ms);
  await stage.query(`ALTER ROLE ${writerRole} ${good}`);
}
