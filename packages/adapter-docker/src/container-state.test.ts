import { expect, it } from 'vitest';
import { parseState } from './container-state.ts';

const Id = 'ab'.repeat(32);
const answer = (state: object, more: object = {}) => ({
  Id,
  State: { Status: 'running', Running: false, Paused: false, Restarting: false, Pid: 0, ...state },
  Config: { Labels: null },
  HostConfig: { RestartPolicy: { Name: 'no' } },
  ...more,
});

it.each([
  [{ Status: 'created' }, 'created'],
  [{ Status: 'running', Running: true, Pid: 7 }, 'living'],
  [{ Status: 'paused', Running: true, Paused: true, Pid: 7 }, 'living'],
  [{ Status: 'restarting', Running: true, Restarting: true }, 'living'],
  [{ Status: 'exited', Restarting: true }, 'living'],
  [{ Status: 'exited', Running: true }, 'living'],
  [{ Status: 'exited' }, 'ended'],
  [{ Status: 'dead' }, 'ended'],
  [{ Status: 'removing' }, 'ended'],
  [{ Status: 'something new' }, 'living'],
])('%j is %s', (state, phase) => expect(parseState(answer(state)).phase).toBe(phase));

it.each([
  ['', false],
  ['no', false],
  ['always', true],
  ['unless-stopped', true],
  ['on-failure', true],
  ['something new', true],
])('restart policy "%s" restarts: %s', (Name, restarts) =>
  expect(parseState(answer({}, { HostConfig: { RestartPolicy: { Name } } })).restarts).toBe(restarts),
);

it.each([
  [{}],
  [null],
  ['text'],
  [answer({ Pid: -1 })],
  [answer({ Running: 'no' })],
  [answer({}, { Id: 'web' })],
])('%j is no answer', (odd) => expect(() => parseState(odd)).toThrow());
