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
  [{ Status: 'exited', Pid: 7 }, 'exited, not running, with pid 7'],
  [{ Status: 'exited', Running: true }, 'exited, running, with pid 0'],
  [{ Status: 'dead', Paused: true }, 'dead, not running, paused, with pid 0'],
  [{ Status: 'removing', Running: true, Pid: 7 }, 'removing, running, with pid 7'],
  [{ Status: 'created', Pid: 7 }, 'created, not running, with pid 7'],
  [{ Status: 'running' }, 'running, not running, with pid 0'],
  [{ Status: 'paused', Paused: true }, 'paused, not running, paused, with pid 0'],
])('%j is a contradiction, and counts as living', (state, contradiction) =>
  expect(parseState(answer(state))).toMatchObject({ contradiction, phase: 'living' }),
);

it.each([
  { Status: 'created' },
  { Status: 'running', Running: true, Pid: 7 },
  { Status: 'paused', Running: true, Paused: true, Pid: 7 },
  { Status: 'restarting', Running: true, Restarting: true },
  { Status: 'exited' },
  { Status: 'dead' },
  { Status: 'removing' },
  // Podman's, of one whose restart policy fits its end.
  { Status: 'exited', Restarting: true },
])('%j is none', (state) => expect(parseState(answer(state)).contradiction).toBeUndefined());

it.each([
  ['/web', 'web'],
  ['web', 'web'],
  [undefined, undefined],
])('name %j is %j', (Name, name) => expect(parseState(answer({}, { Name })).name).toBe(name));

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
