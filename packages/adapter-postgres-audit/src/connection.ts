import { DeadlineError } from '@agent-killswitch/core';
import type { Pool, PoolClient } from 'pg';
import { faultOf } from './errors.ts';

/** Gives `work` a connection of the pool for as long as it has not taken `ms` milliseconds, waiting for one included. */
export type WithConnection = <T>(
  what: string,
  ms: number,
  work: (client: PoolClient) => Promise<T>,
) => Promise<T>;

/**
 * Nothing here waits for Postgres without an end. A connection whose query did not come back in time, or that broke, is
 * closed and never used again; one that the pool hands over too late goes straight back to it.
 * @throws whatever {@link faultOf} makes of the failure
 */
export function connections(pool: Pool): WithConnection {
  return (what, ms, work) =>
    new Promise((resolve, reject) => {
      let isLate = false;
      let inUse: PoolClient | undefined;
      /** The pool has no listener on a connection that is in use, and an error without one ends the process. */
      const ignore = (): void => {};
      const giveBack = (error?: Error): void => {
        inUse?.off('error', ignore);
        inUse?.release(error);
        inUse = undefined;
      };
      const timer = setTimeout(() => {
        isLate = true;
        const late = new DeadlineError(`no answer within ${ms} ms`);
        giveBack(late);
        reject(faultOf(what, late));
      }, ms);
      const run = async () => {
        const client = await pool.connect();
        if (isLate) return client.release();
        inUse = client;
        client.on('error', ignore);
        const result = await work(client);
        giveBack();
        resolve(result);
      };
      run()
        .catch((error: unknown) => {
          giveBack(error instanceof Error ? error : new Error('the query failed'));
          reject(faultOf(what, error));
        })
        .finally(() => clearTimeout(timer));
    });
}
