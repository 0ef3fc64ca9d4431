import type { PartitionHead } from '@agent-killswitch/core';
import { isSigned } from './break.ts';
import { ChainCheck, type ChainStart, type RecordFault } from './chain-check.ts';
import type { WithConnection } from './connection.ts';
import type { PublicKeys } from './keys.ts';
import { headsOf, lastBreak } from './places.ts';
import { firstPage, readRows } from './read-rows.ts';
import { requireSchema } from './schema-version.ts';
import { field, fieldOf, type StoredRow } from './stored-row.ts';

export interface DatabaseCheck {
  /** Chain ends that were kept elsewhere. */
  readonly heads: readonly PartitionHead[];
  /** Whose signatures make a break one. */
  readonly key?: PublicKeys | undefined;
  /** Only this chain. */
  readonly chain?: string | undefined;
  /** The last record of an earlier check. */
  readonly after?: PartitionHead | undefined;
  /** When to stop, by `performance.now()`. */
  readonly until?: number;
  readonly onProgress?: ((count: number) => void) | undefined;
  /** For one statement. */
  readonly readMs: number;
}

export interface BadRecord {
  readonly at: { readonly partition: string; readonly seq: number; readonly eventId?: string };
  readonly fault: RecordFault | 'truncated' | 'break';
}

export interface DatabaseFindings {
  readonly count: number;
  /** The ends of the chains that were looked at. */
  readonly heads: readonly PartitionHead[];
  readonly isComplete: boolean;
  readonly bad?: BadRecord;
}

/** Checks chain after chain, by name, and each record by record, until there are no more, one is bad or time is up. */
export async function checkDatabase(
  withConnection: WithConnection,
  check: DatabaseCheck,
): Promise<DatabaseFindings> {
  const { readMs, after, until = Number.POSITIVE_INFINITY, onProgress } = check;
  const heads: PartitionHead[] = [];
  let count = 0;
  const findings = (isComplete: boolean, bad?: BadRecord): DatabaseFindings => ({
    count,
    heads,
    isComplete,
    ...(bad && { bad }),
  });
  for (const chain of await chainsOf(withConnection, check)) {
    const resumed = after?.partition === chain ? after : undefined;
    const start = await startOf(withConnection, chain, resumed, check);
    if ('fault' in start) return findings(false, start);
    const known = check.heads.filter(({ partition }) => partition === chain);
    const checked = new ChainCheck(chain, known, start);
    const keepEnd = (): void => {
      if (checked.last !== undefined) heads.push({ partition: chain, ...checked.last });
    };
    let bad: BadRecord | undefined;
    const look = (row: StoredRow): boolean => {
      const isRepeated = resumed?.seq === checked.next;
      const fault = checked.fault(row);
      if (fault !== undefined) bad = { at: placeOf(chain, row), fault };
      else if (!isRepeated) count += 1;
      return fault === undefined;
    };
    for (let page = { isLast: false, next: firstPage }; !page.isLast; ) {
      const { next } = page;
      page = await withConnection('reading', readMs, (client) =>
        readRows(client, chain, checked.next, next, look),
      );
      if (bad !== undefined) {
        keepEnd();
        return findings(false, bad);
      }
      onProgress?.(count);
      if (count > 0 && performance.now() >= until) {
        keepEnd();
        return findings(false);
      }
    }
    keepEnd();
    if (checked.isShort)
      return findings(false, { at: { partition: chain, seq: checked.next }, fault: 'truncated' });
  }
  return findings(true);
}

async function chainsOf(
  withConnection: WithConnection,
  { readMs, chain, heads, after }: DatabaseCheck,
): Promise<string[]> {
  const found = await withConnection('reading the heads', readMs, async (client) => {
    await requireSchema(client);
    return chain === undefined ? headsOf(client) : [{ partition: chain }];
  });
  const names = [...found, ...heads].map(({ partition }) => partition);
  const isAsked = (name: string): boolean =>
    (chain === undefined || name === chain) && (after === undefined || name >= after.partition);
  return [...new Set(names)].filter(isAsked).sort();
}

/** At the chain's break, if there is one, or where an earlier check ended, if the record is not detached by now. */
async function startOf(
  withConnection: WithConnection,
  chain: string,
  resumed: PartitionHead | undefined,
  { readMs, key }: DatabaseCheck,
): Promise<ChainStart | BadRecord> {
  const before = await withConnection('reading the breaks', readMs, (client) => lastBreak(client, chain));
  if (before !== undefined && !isSigned(before, before.signature, key))
    return { at: { partition: chain, seq: before.seq }, fault: 'break' };
  if (resumed !== undefined && resumed.seq > (before?.seq ?? -1)) return { first: resumed };
  return before === undefined ? {} : { before };
}

function placeOf(partition: string, row: StoredRow): BadRecord['at'] {
  const eventId = row.text(fieldOf.event_id);
  return { partition, seq: row.integer(field.seq), ...(eventId !== null && { eventId }) };
}
