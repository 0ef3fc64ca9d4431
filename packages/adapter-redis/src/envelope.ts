import type { Agent, StopOrder } from '@agent-killswitch/core';

/** Version of everything that is stored. A new field in a record needs a new one, to keep older versions from reading it. */
export const recordVersion = 1;

/**
 * How records are stored: as JSON, with what scripts need in front, in this order, so that they need not parse it.
 * `call` names the call that stored it, and `by` the one that admitted the agent, so that a command which the driver sends
 * again after a lost connection is recognised as the same.
 *
 *     {"v":1,"revision":3,"status":"killing","call":"…","by":"…","seq":17,"agent":{…}}
 *     {"v":1,"revision":0,"call":"…","seq":4,"order":{…}}
 */
export function agentHead({ revision, status }: Agent, call: string): string {
  return `{"v":${recordVersion},"revision":${revision},"status":"${status}","call":"${call}",`;
}

/** What follows who admitted it and the sequence number, which the script puts in. */
export function agentTail(agent: Agent): string {
  return `,"agent":${JSON.stringify(agent)}}`;
}

export function orderHead({ revision }: StopOrder, call: string): string {
  return `{"v":${recordVersion},"revision":${revision},"call":"${call}","seq":`;
}

export function orderTail(order: StopOrder): string {
  return `,"order":${JSON.stringify(order)}}`;
}

/** A record that never changes: `{"v":1,"task":{…}}`. */
export function fixed(name: 'task' | 'gate' | 'approval', record: unknown): string {
  return `{"v":${recordVersion},"${name}":${JSON.stringify(record)}}`;
}
