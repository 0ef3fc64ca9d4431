import type { PoolClient } from 'pg';
import { headsStatement } from './places.ts';

/**
 * What is missing of that which keeps the record as it is. None of it has changed the record yet; whoever may do it may
 * also undo it again before somebody looks.
 */
async function missingGuards(client: PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ what: string }>(`
    WITH kept AS (
      SELECT 'killswitch_audit.records'::regclass AS id
      UNION ALL SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = 'killswitch_audit.records'::regclass
      UNION ALL SELECT 'killswitch_audit.event_ids'::regclass
      UNION ALL SELECT 'killswitch_audit.breaks'::regclass
    )
    SELECT format('%s: no trigger %s that is always on', kept.id::regclass, name) AS what
    FROM kept, (VALUES ('refuse_change'), ('refuse_truncate')) needed (name)
    WHERE NOT EXISTS (
      SELECT FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc f ON f.oid = t.tgfoid
      WHERE t.tgrelid = kept.id AND t.tgname = name AND t.tgenabled = 'A'
        AND t.tgfoid = 'killswitch_audit.refuse_change()'::regprocedure AND t.tgqual IS NULL
        AND f.prosrc LIKE '%RAISE EXCEPTION%'
    )
    UNION ALL
    SELECT format('%s: rows may be hidden by row security', kept.id::regclass) FROM kept
    JOIN pg_catalog.pg_class c ON c.oid = kept.id WHERE c.relrowsecurity
    ORDER BY what`);
  return rows.map(({ what }) => what);
}

/**
 * How many more ids are on file than events. Whoever may write the record can put ids there ahead of their events, which
 * would then be dropped as told already; where ids are missing, events could be told twice. All from one moment.
 */
async function strayIds(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ stray: string }>(
    `SELECT (SELECT count(*) FROM killswitch_audit.event_ids) - coalesce(sum(seq + 1), 0) AS stray
     FROM (${headsStatement}) heads`,
  );
  return Number(rows[0]?.stray ?? 0);
}

/** What an auditor should know of a record that is whole. */
export async function warningsOf(client: PoolClient): Promise<string[]> {
  const stray = await strayIds(client);
  const ofIds =
    stray === 0
      ? []
      : [
          `killswitch_audit.event_ids: ${Math.abs(stray)} ids ${stray > 0 ? 'without an event' : 'are missing'}`,
        ];
  return [...(await missingGuards(client)), ...ofIds];
}
