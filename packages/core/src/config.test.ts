import { describe, expect, it } from 'vitest';
import { maxCleanupSteps } from './agent.ts';
import { type KillswitchOptions, settingsOf } from './config.ts';
import { InvalidConfigurationError } from './errors.ts';
import { manualClock } from './memory/manual-clock.ts';
import { memoryAudit } from './memory/memory-audit.ts';
import { memoryRuntime } from './memory/memory-runtime.ts';
import { memoryState } from './memory/memory-state.ts';
import { patchedStore } from './testing/patched-store.ts';

const settings = (given: object) =>
  settingsOf({
    hostId: 'h',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { memory: memoryRuntime() },
    ...given,
  } as KillswitchOptions);

/** The faults found, as one text; empty if there are none. */
function faults(given: object): readonly string[] {
  try {
    settings(given);
    return [];
  } catch (error) {
    if (error instanceof InvalidConfigurationError) return error.issues;
    throw error;
  }
}

const step = (more: object = {}, name = 's') => ({
  name,
  appliesTo: () => true,
  run: async () => undefined,
  ...more,
});
const throwing = (key: string, value: object) =>
  Object.defineProperty(value, key, {
    enumerable: true,
    get: () => {
      throw new Error('boom');
    },
  });

describe('an option given as undefined', () => {
  const defaults = settings({});

  it.each(['forceAfter', 'confirmWithin', 'cleanup', 'state', 'lease'])(
    'is the default: deadlines.%s',
    (name) => {
      expect(settings({ deadlines: { [name]: undefined } }).deadlines).toEqual(defaults.deadlines);
    },
  );

  it('is the default: deadlines.state, which is nearer than the force time', () => {
    expect(settings({ deadlines: { forceAfter: 80 } }).deadlines.state).toBe(40);
    expect(settings({ deadlines: { forceAfter: 999 } }).deadlines.state).toBe(500);
    expect(settings({ deadlines: { forceAfter: 3_000 } }).deadlines.state).toBe(500);
  });

  it.each(['deadlines', 'release', 'clock', 'randomBytes', 'cleanup', 'authorizer', 'lastResort'])(
    'is the default: %s',
    (name) => {
      const { [name as 'clock']: kept, deadlines, approvals } = settings({ [name]: undefined });
      expect(String(kept)).toBe(String(defaults[name as 'clock']));
      expect({ deadlines, approvals }).toEqual({ deadlines: defaults.deadlines, approvals: 1 });
      if (name !== 'deadlines' && name !== 'release') expect(kept).toBeDefined();
    },
  );

  it('is the default: release.approvals, and the limits of a step', () => {
    expect(settings({ release: { approvals: undefined } }).approvals).toBe(1);
    expect(
      faults({ cleanup: [step({ limits: { tries: undefined } }), step({ limits: undefined }, 't')] }),
    ).toEqual([]);
  });
});

describe('cleanup steps', () => {
  const steps = (count: number) => Array.from({ length: count }, (_, i) => step({}, `s${i}`));

  it('are as many as an agent has room for in its ledger, and no more', () => {
    expect(settings({ cleanup: steps(maxCleanupSteps) }).cleanup).toHaveLength(128);
    expect(faults({ cleanup: steps(maxCleanupSteps + 1) }).join()).toMatch(/^cleanup: .*128/);
  });

  it.each([
    { tries: 0 },
    { tries: -1 },
    { tries: 1.5 },
    { tries: 101 },
    { tries: Number.NaN },
    { tries: Number.POSITIVE_INFINITY },
    { deadlineMs: 0 },
    { deadlineMs: -5 },
    { deadlineMs: Number.NaN },
    { deadlineMs: 2 ** 31 },
    { backoffMs: -1 },
    { backoffMs: Number.POSITIVE_INFINITY },
    { deadline: 5 },
    'x',
    null,
  ])('are refused with the limits %j', (limits) => {
    expect(faults({ cleanup: [step(), step({ limits }, 't')] }).join()).toMatch(/^cleanup\.1\.limits/);
  });

  it('are taken with sane limits', () => {
    expect(
      faults({ cleanup: [step({ limits: { tries: 100, deadlineMs: 90_000_000.5, backoffMs: 0 } })] }),
    ).toEqual([]);
  });

  it('are refused if they are no steps, or two have one name', () => {
    expect(faults({ cleanup: [null] }).join()).toContain('cleanup.0');
    expect(faults({ cleanup: step() }).join()).toContain('cleanup');
    expect(faults({ cleanup: [step(), step()] })).toEqual(['cleanup: two steps are named "s"']);
  });
});

describe('a port', () => {
  const store = memoryState();
  const methods = [
    ...['admit', 'getAgent', 'getTask', 'swapAgents', 'listAgents', 'listOrder', 'placeOrder', 'getOrder'],
    ...[
      'swapOrder',
      'listOpenOrders',
      'listGates',
      'approve',
      'release',
      'renewLease',
      'listLeases',
      'watch',
    ],
  ];
  it.each(methods)('is refused without a method: state.%s', (name) => {
    const state = patchedStore(store, { [name]: 5 as never });
    expect(faults({ state })).toEqual([`state.${name}: must be a function`]);
  });
  it.each([
    ['state', null],
    ['audit', { ...memoryAudit(), open: 5 }],
    ['audit', { ...memoryAudit(), heads: undefined }],
    ['authorizer', {}],
    ['clock', { now: () => 1 }],
    ['clock', null],
    ['randomBytes', 1],
    ['lastResort', 'x'],
  ])('is refused if it is not one: %s %#', (name, value) => {
    expect(faults({ [name]: value }).join()).toMatch(new RegExp(`^${name}`));
  });

  it.each([
    ['reach', undefined],
    ['reach', 'galaxy'],
    ['canForce', 'yes'],
    ['canForce', undefined],
    ['stop', 5],
    ['locate', 'x'],
    ['kill', undefined],
  ])('is refused if it is a runtime with %s %j', (name, value) => {
    const issues = faults({ runtimes: { m: { ...memoryRuntime(), [name]: value } } });
    expect(issues).toEqual([expect.stringMatching(new RegExp(`^runtimes\\.m\\.${name}: must be`))]);
  });

  it('may omit what is optional', () => {
    expect(faults({ runtimes: { m: { ...memoryRuntime(), stop: undefined, locate: undefined } } })).toEqual(
      [],
    );
  });
});

describe('runtimes', () => {
  it.each(['__proto__', 'constructor', 'prototype', 'a b', ''])('are refused under the name "%s"', (name) => {
    expect(faults({ runtimes: Object.fromEntries([[name, memoryRuntime()]]) }).join()).toMatch(/^runtimes/);
  });

  it.each([
    ['a Map', new Map([['m', memoryRuntime()]])],
    ['a list', [memoryRuntime()]],
    ['an object whose prototype was set', { __proto__: memoryRuntime() }],
    ['nothing', undefined],
  ])('are refused if they are %s', (_, runtimes) => {
    expect(faults({ runtimes }).join()).toMatch(/^runtimes: must be a plain object/);
  });
});

describe('a getter that throws', () => {
  it.each([
    ['clock', throwing('clock', {})],
    ['hostId', throwing('hostId', {})],
    ['deadlines.lease', { deadlines: throwing('lease', {}) }],
    ['release.approvals', { release: throwing('approvals', {}) }],
    ['state.admit', { state: throwing('admit', memoryState()) }],
    ['audit.open', { audit: throwing('open', memoryAudit()) }],
    ['runtimes.m', { runtimes: throwing('m', {}) }],
    ['runtimes.m.reach', { runtimes: { m: throwing('reach', { ...memoryRuntime() }) } }],
    ['cleanup.0.name', { cleanup: [throwing('name', step())] }],
    ['cleanup.0.limits', { cleanup: [throwing('limits', step())] }],
    ['cleanup.0.limits.tries', { cleanup: [step({ limits: throwing('tries', {}) })] }],
    ['cleanup.0', { cleanup: throwing('0', []) }],
  ])('is a fault that names the option: %s', (path, given) => {
    const options = { hostId: 'h', state: memoryState(), audit: memoryAudit(), runtimes: {} };
    const all = Object.defineProperties(options, Object.getOwnPropertyDescriptors(given));
    let issues: readonly string[] = [];
    try {
      settingsOf(all);
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidConfigurationError);
      issues = (error as InvalidConfigurationError).issues;
    }
    expect(issues).toContain(`${path}: cannot be read: Error: boom`);
  });

  it('is a fault also if it throws only when it is read again', () => {
    const again = (name: string, whole: object, error = new Error('boom')) => {
      let reads = 0;
      return new Proxy(whole, {
        get(target, key) {
          if (key === name && reads++ > 0) throw error;
          return Reflect.get(target, key);
        },
      });
    };
    expect(faults({ runtimes: { m: again('reach', memoryRuntime()) } })).toEqual([
      'runtimes.m: cannot be read: Error: boom',
    ]);
    expect(faults({ cleanup: [again('limits', step({ limits: {} }))] })).toEqual([
      'cleanup.0: cannot be read: Error: boom',
    ]);
  });

  it('is a fault also where the keys themselves cannot be read', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const name of ['state', 'runtimes', 'deadlines', 'cleanup', 'clock', 'release'])
      expect(faults({ [name]: proxy }).join()).toMatch(new RegExp(`^${name}`));
    expect(() => settingsOf(proxy as KillswitchOptions)).toThrow(InvalidConfigurationError);
  });
});

describe('a clock', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5, 1e300, '5', undefined, 5n])(
    'is refused if it says %s',
    (now) => {
      expect(faults({ clock: { ...manualClock(), now: () => now } }).join()).toMatch(/^clock\.now/);
    },
  );

  it('is refused if it cannot say what time it is', () => {
    const now = () => {
      throw new Error('stopped');
    };
    expect(faults({ clock: { ...manualClock(), now } })).toEqual([
      'clock.now: cannot be read: Error: stopped',
    ]);
  });
});

it('lists every fault at once', () => {
  const issues = faults({
    hostId: '',
    state: {},
    audit: null,
    runtimes: { 'a b': 5, m: { ...memoryRuntime(), reach: 'galaxy' } },
    cleanup: [step(), step(), step({ limits: { tries: -1 } }, 't'), { name: '' }],
    deadlines: { forceAfter: Symbol('x'), lease: Number.NaN, bogus: 1 },
    release: { approvals: 1.5 },
    clock: {},
    randomBytes: 1,
    lastResort: 'x',
    bogus: 1,
    authorizer: {},
  }).join('\n');
  for (const path of [
    'hostId',
    'state.getTask',
    'audit',
    'runtimes.a b',
    'runtimes.m.reach',
    'cleanup: two steps',
    'cleanup.2.limits.tries',
    'cleanup.3.name',
    'cleanup.3.run',
    'deadlines.forceAfter',
    'deadlines.lease',
    'deadlines: ',
    'release.approvals',
    'clock.now',
    'clock.setTimer',
    'randomBytes',
    'lastResort',
    'bogus',
    'authorizer.decide',
  ])
    expect(issues).toContain(path);
});

it('I6: refuses a wait for the store that a kill would spend its time with', () => {
  const order = (state: number, forceAfter: number, confirmWithin = 5_000) =>
    faults({ deadlines: { state, forceAfter, confirmWithin } });
  expect(order(2_000, 2_000)).toEqual(['deadlines: state (2000) must be less than forceAfter (2000)']);
  expect(order(20_000, 6_000)).toHaveLength(2);
  expect(order(1_999, 2_000)).toEqual([]);
  expect(faults({ deadlines: { state: 9_000 } })).toHaveLength(1);
});

it.each([undefined, null, 5, 'x'])('refuses %s in place of options', (options) => {
  expect(() => settingsOf(options as never)).toThrow(InvalidConfigurationError);
});

it('copies what it is given: a later change has no effect', () => {
  const deadlines = { state: 400 };
  const cleanup = [step()];
  const kept = settings({ deadlines, cleanup });
  deadlines.state = 0;
  cleanup.push(step());
  expect(kept.deadlines.state).toBe(400);
  expect(kept.cleanup).toHaveLength(1);
});
