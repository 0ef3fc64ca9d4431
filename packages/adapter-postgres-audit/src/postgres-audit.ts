import {
  type AuditEvent,
  type AuditQuery,
  type AuditRecord,
  type AuditSink,
  InvalidInputError,
  type PartitionHead,
  type Verification,
  type VerificationRequest,
} from '@agent-killswitch/core';
import type { Pool, PoolClient } from 'pg';
import { appendRows } from './append.ts';
import { AppendGroups } from './append-groups.ts';
import { checkDatabase } from './check-database.ts';
import { readCheckpoints } from './checkpoint-file.ts';
import { connections, type WithConnection } from './connection.ts';
import { appending } from './errors.ts';
import { type PostgresAuditOptions, type Settings, settingsOf } from './options.ts';
import { headsOf, lastPosition, positionOf } from './places.ts';
import { PagedQuery, type Span } from './read.ts';
import { requireSchema, requireWriter, type WriterSession } from './schema-version.ts';
import { type TimedRow, type TimePage, type TimeQuery, timeStatement } from './time-query.ts';
import { rowsOf } from './valid-events.ts';

export interface PostgresAudit extends AuditSink {
  /**
   * Looks whether the tables are there and this role may write them; every other call looks for what it needs, until it
   * was so once.
   * @throws PostgresSchemaError, PostgresVersionError, PostgresRoleError, PostgresUnavailableError
   */
  open(): Promise<void>;

  /**
   * A workspace's records by the time of their events, for questions such as "what was stopped last night". `read`, in
   * the order in which things were put on record, has everything else. What is put on record late is missing from pages
   * that were read before.
   * @throws InvalidInputError, PostgresSchemaError, PostgresRoleError, PostgresUnavailableError
   */
  readByTime(query: TimeQuery): Promise<TimePage>;

  /**
   * As `verifyDatabase`, on the chain of a workspace or all, for a while or to the end.
   * @throws PostgresSchemaError, PostgresRoleError, PostgresUnavailableError; InvalidInputError naming the line of the
   *   checkpoints that is not of their key; what the system says of their file
   */
  verify(request?: VerificationRequest): Promise<Verification>;
}

/**
 * The audit record in PostgreSQL: a hash chain per workspace, which any number of processes append to. The pool stays
 * the caller's: listen to its `error` event, and end it.
 * @throws InvalidConfigurationError
 */
export function postgresAudit(pool: Pool, options: PostgresAuditOptions = {}): PostgresAudit {
  return new Audit(connections(pool), settingsOf(pool, options));
}

const looking = 'looking at the audit tables';

class Audit implements PostgresAudit {
  readonly #with: WithConnection;
  readonly #settings: Settings;
  readonly #groups: AppendGroups;
  /** What was found to be so once is not looked at again. */
  #isReadable = false;
  #session: WriterSession | undefined;

  constructor(withConnection: WithConnection, settings: Settings) {
    this.#with = withConnection;
    this.#settings = settings;
    this.#groups = new AppendGroups(settings.appendMs, (rows, ms, waitMs) =>
      this.#with(appending, ms, async (client) => {
        const { isReadCommitted } = await this.#writer(client);
        await appendRows(client, rows, { waitMs, isReadCommitted });
      }),
    );
  }

  async open(): Promise<void> {
    await this.#with(looking, this.#settings.readMs, (client) => this.#writer(client));
  }

  async append(events: readonly AuditEvent[]): Promise<void> {
    const rows = rowsOf(events);
    if (rows.length === 0) return;
    await this.#groups.add(rows);
  }

  async *read(query: AuditQuery = {}): AsyncGenerator<AuditRecord> {
    const { readMs } = this.#settings;
    await this.#readable();
    const paged = new PagedQuery(query, await this.#spanOf(query));
    if (paged.isEmpty) return;
    for (let from: string | undefined; ; ) {
      const { records, next } = await this.#with('reading', readMs, (client) => paged.page(client, from));
      yield* records;
      if (next === undefined) return;
      from = next;
    }
  }

  async heads(): Promise<readonly PartitionHead[]> {
    await this.#readable();
    return this.#with('reading the heads', this.#settings.readMs, headsOf);
  }

  async readByTime(query: TimeQuery): Promise<TimePage> {
    const { text, values, pageOf } = timeStatement(query);
    await this.#readable();
    return this.#with('reading', this.#settings.readMs, async (client) =>
      pageOf((await client.query<TimedRow>(text, values)).rows),
    );
  }

  async verify({ workspaceId, after, forMs }: VerificationRequest = {}): Promise<Verification> {
    const { checkpoints, key, readMs } = this.#settings;
    const until = performance.now() + (forMs ?? Number.POSITIVE_INFINITY);
    const heads =
      checkpoints === undefined || key === undefined ? [] : await readCheckpoints(checkpoints, key);
    const check = { heads, key, chain: workspaceId, after, until, readMs };
    const { count, heads: ends, isComplete, bad } = await checkDatabase(this.#with, check);
    const upTo = ends.at(-1) ?? after;
    const checked = { count, isAnchored: checkpoints !== undefined, ...(upTo && { upTo }) };
    return bad === undefined ? { ok: true, isComplete, ...checked } : { ok: false, ...bad, ...checked };
  }

  async #spanOf({ after }: AuditQuery): Promise<Span> {
    const span = await this.#with('reading', this.#settings.readMs, async (client) => {
      const end = await lastPosition(client);
      return { end, after: after && (await positionOf(client, after)) };
    });
    if (after === undefined) return { end: span.end };
    if (span.after !== undefined) return { end: span.end, after: span.after };
    const issue = `after: no record ${after.seq} of chain "${after.partition}" is on file`;
    throw new InvalidInputError('audit query', [issue]);
  }

  async #writer(client: PoolClient): Promise<WriterSession> {
    this.#session ??= await requireWriter(client);
    this.#isReadable = true;
    return this.#session;
  }

  async #readable(): Promise<void> {
    if (this.#isReadable) return;
    await this.#with(looking, this.#settings.readMs, requireSchema);
    this.#isReadable = true;
  }
}
