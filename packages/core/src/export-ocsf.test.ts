import { describe, expect, it } from 'vitest';
import { type AuditRecord, chain } from './audit-chain.ts';
import { type AuditEvent, auditEventSchema } from './audit-event.ts';
import { type OcsfEvent, toOcsf } from './export-ocsf.ts';
import { everyEvent } from './testing/every-event.ts';

const records: AuditRecord[] = [];
for (const event of everyEvent) records.push(chain(records.at(-1), 'node-1', event));

/** Of schema 1.6.0: the activities of each class, and the attributes that it requires. */
const classes: Record<number, { activities: Record<number, string>; required: string[] }> = {
  6002: {
    activities: {
      1: 'Install',
      2: 'Remove',
      3: 'Start',
      4: 'Stop',
      5: 'Restart',
      6: 'Enable',
      7: 'Disable',
      8: 'Update',
      99: 'Other',
    },
    required: ['app'],
  },
  6003: {
    activities: { 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete' },
    required: ['actor', 'api', 'src_endpoint'],
  },
};
/** Of 1.6.0 as well: every attribute that may stand where we have some. The host profile brings `actor` and `device`. */
const attributes: Readonly<Record<string, readonly string[]>> = {
  event:
    `activity_id activity_name actor api app category_name category_uid class_name class_uid count device dst_endpoint
    duration end_time enrichments http_request http_response message metadata observables raw_data resources severity
    severity_id src_endpoint start_time status status_code status_detail status_id time timezone_offset type_name type_uid
    unmapped`.split(/\s+/),
  metadata:
    `correlation_uid debug event_code extension extensions is_truncated labels log_level log_name log_provider
    log_version logged_time loggers modified_time original_time processed_time product profiles sequence tags tenant_uid
    transformation_info_list uid untruncated_size version`.split(/\s+/),
  product: ['cpe_name', 'feature', 'lang', 'name', 'path', 'uid', 'url_string', 'vendor_name', 'version'],
  api: ['group', 'operation', 'request', 'response', 'service', 'token', 'version'],
  endpoint: ['hostname', 'instance_uid', 'ip', 'name', 'owner', 'port', 'svc_name', 'type', 'type_id', 'uid'],
  resource: ['data', 'group', 'labels', 'name', 'owner', 'role', 'role_id', 'tags', 'type', 'uid', 'version'],
  user: ['account', 'domain', 'email_addr', 'full_name', 'groups', 'name', 'org', 'type', 'type_id', 'uid'],
};
const baseRequired = [
  'activity_id',
  'category_uid',
  'class_uid',
  'metadata',
  'severity_id',
  'time',
  'type_uid',
] as const;
const severities = ['Unknown', 'Informational', 'Low', 'Medium', 'High', 'Critical', 'Fatal'];
const statuses = ['Unknown', 'Success', 'Failure'];

function faultsOf(event: OcsfEvent): string[] {
  const faults: string[] = baseRequired.filter((name) => event[name] === undefined);
  const known = classes[event.class_uid];
  if (known === undefined) return [...faults, 'class_uid'];
  for (const name of known.required) if (!(name in event)) faults.push(name);
  const checks: Record<string, boolean> = {
    category: event.category_uid === Math.floor(event.class_uid / 1_000),
    activity: known.activities[event.activity_id] === event.activity_name,
    type: event.type_uid === event.class_uid * 100 + event.activity_id,
    severity: severities[event.severity_id] === event.severity,
    status: statuses[event.status_id] === event.status,
    time: Number.isInteger(event.time) && event.time > 1e12,
    version: event.metadata?.version === '1.6.0',
    product: Boolean(event.metadata?.product.name && event.metadata.product.vendor_name),
    app: event.app === undefined || Boolean(event.app.name && event.app.uid),
    api: event.api === undefined || Boolean(event.api.operation),
    'src_endpoint needs one of its names':
      event.src_endpoint === undefined || Boolean(event.src_endpoint.uid),
    'user needs a uid': event.actor === undefined || Boolean(event.actor.user.uid),
    'user type': [undefined, 0, 1, 2, 3, 4, 99].includes(event.actor?.user.type_id),
  };
  return [...faults, ...Object.keys(checks).filter((name) => !checks[name])];
}

/** The way back, which shows that nothing is lost. */
function restored({ metadata, actor, unmapped }: OcsfEvent): AuditRecord {
  const { chain: hashes, ...rest } = unmapped as { chain: { prev: string; hash: string } };
  const principal = actor && { id: actor.user.uid, kind: actor.user.type.toLowerCase() };
  const event = auditEventSchema.parse({
    ...rest,
    id: metadata.uid,
    type: metadata.event_code,
    time: metadata.original_time,
    ...(metadata.tenant_uid !== undefined && { workspaceId: metadata.tenant_uid }),
    ...(principal && { principal }),
  });
  return { partition: metadata.log_name, seq: metadata.sequence, ...hashes, event };
}

it('maps every type of audit event', () => {
  const types = auditEventSchema.options.map((option) => option.shape.type.value);
  expect(records.map((record) => toOcsf(record).metadata.event_code)).toEqual(types);
});

describe.each(records.map((record) => [record.event.type, record] as const))('%s', (_, record) => {
  const event = toOcsf(record);

  it('has what its class requires, after JSON too', () => {
    expect(faultsOf(event)).toEqual([]);
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
    expect(event.time).toBe(Date.parse(record.event.time));
    expect(event.message.length).toBeGreaterThan(10);
  });

  it('has no attribute that its schema does not know', () => {
    const { metadata, app, api, src_endpoint, resources = [], actor } = event;
    for (const [kind, object] of [
      ['event', event],
      ['metadata', metadata],
      ['product', metadata.product],
      ['product', app],
      ['api', api],
      ['endpoint', src_endpoint],
      ...resources.map((resource) => ['resource', resource] as const),
      ['user', actor?.user],
    ] as const)
      for (const name of Object.keys(object ?? {})) expect(attributes[kind], kind).toContain(name);
  });

  it('is rejected when it breaks a rule', () => {
    for (const name of baseRequired) expect(faultsOf({ ...event, [name]: undefined })).not.toEqual([]);
    expect(faultsOf({ ...event, type_uid: event.type_uid + 1 })).toEqual(['type']);
    const { app, api, ...bare } = event;
    expect(faultsOf(bare)).toHaveLength(1);
  });

  it('has the whole record in it', () => {
    expect(restored(JSON.parse(JSON.stringify(event)))).toEqual(record);
  });
});

it('raises what somebody should look at', () => {
  const severityOf = (event: AuditEvent) => {
    const { severity, status } = toOcsf(chain(undefined, 'p', event));
    return `${severity} ${status}`;
  };
  const [requested, , killed, unconfirmed, cleanup, , denied] = everyEvent as AuditEvent[];
  expect(severityOf(requested!)).toBe('Low Success');
  expect(severityOf({ ...requested!, scope: { everything: true } } as AuditEvent)).toBe('High Success');
  expect(severityOf(killed!)).toBe('Low Success');
  expect(severityOf(unconfirmed!)).toBe('High Failure');
  expect(severityOf(cleanup!)).toBe('Medium Failure');
  expect(severityOf({ ...cleanup!, status: 'done' } as AuditEvent)).toBe('Informational Success');
  expect(severityOf(denied!)).toBe('Medium Failure');
});
