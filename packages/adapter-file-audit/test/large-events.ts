import { sampleEvent } from '@agent-killswitch/conformance';
import type { AuditEvent } from '@agent-killswitch/core';

const text = 'x'.repeat(3_000);

/** Events of about 3.5 kB: writing a batch of them takes long enough to be hit while it is written. */
export function largeEvents(first: number, count: number): AuditEvent[] {
  return Array.from({ length: count }, (_, index) => sampleEvent(first + index, { policyVersion: text }));
}
