import {
  type AuditEvent,
  type AuditQuery,
  type AuditRecord,
  canonical,
  chain,
  matchesQuery,
  type PartitionHead,
  requireOnFile,
  type Verification,
  type VerificationRequest,
  verifyChain,
} from '@agent-killswitch/core';

interface Parts {
  append(events: readonly AuditEvent[]): Promise<void>;
  read(query: AuditQuery): AsyncIterable<AuditRecord>;
  heads(): Promise<readonly PartitionHead[]>;
  open(): Promise<void>;
  verify(request: VerificationRequest): Promise<Verification>;
}
/** What a broken sink does differently from a sound one, given the sound one and its records. */
export type Bug = (sound: Parts, records: AuditRecord[]) => Partial<Parts>;

/** The broken sinks have a chain per workspace, so that the suite is known to work for such as well. */
export const chainOf = (event: AuditEvent) => event.workspaceId ?? 'none';
export const newest = (records: AuditRecord[], partition: string) =>
  records.findLast((record) => record.partition === partition);
export const add = (records: AuditRecord[], events: readonly AuditEvent[]) => {
  for (const event of events) {
    const partition = chainOf(event);
    records.push(chain(newest(records, partition), partition, JSON.parse(canonical(event))));
  }
};
export const headsOf = (records: readonly AuditRecord[]): PartitionHead[] => {
  const heads = new Map(
    records.map(({ partition, seq, hash }) => [partition, { partition, seq, hash }] as const),
  );
  return [...heads.values()];
};
export const fresh = (records: AuditRecord[], events: readonly AuditEvent[]) =>
  events.filter((event) => !records.some((record) => record.event.id === event.id));

/** A sink that answers a reader with what `change` makes of the records on file. */
export const answering =
  (change: (records: AuditRecord[], query: AuditQuery) => AuditRecord[]): Bug =>
  (sound) => ({
    async *read(query) {
      const found: AuditRecord[] = [];
      for await (const record of sound.read(query)) found.push(record);
      yield* change(found, query);
    },
  });
/** A sound sink over an array that a bug can reach. */
export function soundAudit(records: AuditRecord[]): Parts {
  return {
    async append(events: readonly AuditEvent[]) {
      const copy = records.slice();
      for (const event of events) add(copy, fresh(copy, [event]));
      records.splice(0, records.length, ...copy);
    },
    async *read(query: AuditQuery) {
      requireOnFile(query, headsOf(records));
      const { after, ...filters } = query;
      const first = records.findIndex((r) => r.partition === after?.partition && r.seq === after.seq) + 1;
      for (const record of records.slice(first)) {
        if (matchesQuery(filters, record)) yield record;
      }
    },
    heads: async () => headsOf(records),
    async open() {},
    verify: (request) => verified(records, request),
  };
}

/** In a hurry it looks at one record at a time. */
async function verified(
  records: readonly AuditRecord[],
  { workspaceId, after, forMs }: VerificationRequest,
): Promise<Verification> {
  const isLeft = ({ partition, seq }: AuditRecord): boolean =>
    after === undefined || partition > after.partition || (partition === after.partition && seq > after.seq);
  const left = records
    .filter(({ partition }) => workspaceId === undefined || partition === workspaceId)
    .toSorted((a, b) => (a.partition === b.partition ? a.seq - b.seq : a.partition < b.partition ? -1 : 1))
    .filter(isLeft);
  for (const { partition } of headsOf(records))
    if (!(await verifyChain(records.filter((record) => record.partition === partition))).ok)
      throw new Error('the suite changes no record');
  const looked = forMs === undefined ? left : left.slice(0, 1);
  const last = looked.at(-1) ?? after;
  const upTo = last && { partition: last.partition, seq: last.seq, hash: last.hash };
  const isComplete = looked.length === left.length;
  return { ok: true, count: looked.length, isComplete, isAnchored: false, ...(upTo && { upTo }) };
}
