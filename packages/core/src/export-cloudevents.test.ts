import { describe, expect, it } from 'vitest';
import { type AuditRecord, chain } from './audit-chain.ts';
import { auditEventSchema } from './audit-event.ts';
import { type CloudEvent, toCloudEvent } from './export-cloudevents.ts';
import { everyEvent } from './testing/every-event.ts';
import { verifyChain } from './verify-chain.ts';

const records: AuditRecord[] = [];
for (const event of everyEvent) records.push(chain(records.at(-1), 'node-1', event));

const required = ['specversion', 'id', 'source', 'type'];
const core = [...required, 'subject', 'time', 'datacontenttype', 'dataschema'];
const extensions = ['partitionkey', 'sequence', 'chainprev', 'chainhash'];
/** The attributes of CloudEvents 1.0.2 that a JSON event may have, and what the spec asks of their values. */
function faultsOf(event: Record<string, unknown>): string[] {
  const faults = required.filter((name) => typeof event[name] !== 'string' || event[name] === '');
  for (const [name, value] of Object.entries(event)) {
    if (!/^[a-z0-9]{1,20}$/.test(name)) faults.push(`the name ${name}`);
    if (name === 'data') continue;
    if (![...core, ...extensions].includes(name)) faults.push(`${name} is not declared`);
    if (typeof value !== 'string' || !value.isWellFormed() || /\p{Cc}/u.test(value)) faults.push(`${name}`);
  }
  if (event.specversion !== '1.0') faults.push('specversion');
  if (!URL.canParse(String(event.source)) || /[^\w:/?#[\]@!$&'()*+,;=.~%-]/.test(String(event.source)))
    faults.push('source is no URI');
  if (Number.isNaN(Date.parse(String(event.time)))) faults.push('time');
  if (!/^[\w.+-]+\/[\w.+-]+$/.test(String(event.datacontenttype))) faults.push('datacontenttype');
  return faults;
}

it('knows the type of every audit event', () => {
  const types = auditEventSchema.options.map((option) => option.shape.type.value);
  expect(records.map((record) => toCloudEvent(record).type)).toEqual(
    types.map((type) => `io.agent-killswitch.${type}`),
  );
});

describe.each(records.map((record) => [record.event.type, record] as const))('%s', (_, record) => {
  const event = toCloudEvent(record);

  it('keeps to the attribute rules, after JSON too', () => {
    expect(faultsOf({ ...event })).toEqual([]);
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
  });

  it('is rejected by those rules when it breaks one', () => {
    for (const name of required) expect(faultsOf({ ...event, [name]: undefined })).not.toEqual([]);
    expect(faultsOf({ ...event, chainHash: 'x' })).not.toEqual([]);
    expect(faultsOf({ ...event, source: 'urn:agent-killswitch:a|b' })).not.toEqual([]);
  });

  it('has the whole event as its data, and its time and id', () => {
    expect(event.data).toEqual(record.event);
    expect(event).toMatchObject({ id: record.event.id, time: record.event.time });
    expect(event.source).toBe('urn:agent-killswitch:node%7C1');
  });
});

it('says what each is about', () => {
  const subjects = records.map((record) => toCloudEvent(record).subject);
  expect(subjects).toEqual([
    'task:t',
    'task:t',
    'agent:a',
    'agent:a',
    'agent:a',
    'task:t',
    'everything',
    'workspace:w',
    'workspace:w',
    `event:${'0'.repeat(64)}`,
  ]);
});

it('carries the chain: the records can be made again from the events, and verify', async () => {
  const recordOf = (event: CloudEvent): AuditRecord => ({
    partition: event.partitionkey,
    seq: Number(event.sequence),
    prev: event.chainprev,
    hash: event.chainhash,
    event: event.data,
  });
  const received = records.map((record) => recordOf(JSON.parse(JSON.stringify(toCloudEvent(record)))));
  expect(received).toEqual(records);
  expect(await verifyChain(received)).toMatchObject({ ok: true, count: everyEvent.length });
});

it('numbers them so that their texts sort', () => {
  const at = (seq: number) => toCloudEvent({ ...(records[0] as AuditRecord), seq }).sequence;
  const numbers = [0, 9, 10, 99_999, 100_000, Number.MAX_SAFE_INTEGER];
  expect(numbers.map(at).toSorted()).toEqual(numbers.map(at));
});
