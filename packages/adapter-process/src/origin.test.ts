import { expect, it } from 'vitest';
import { UnsupportedPlatformError } from './errors.ts';
import { originHere, placeOf } from './origin.ts';
import { processRuntime } from './process-runtime.ts';

const here = { bootId: 'boot', machineId: 'machine', namespaces: 'pid:[1] time:[1]' };

it.each([
  [{}, false, 'here'],
  [{ machineId: 'renamed' }, false, 'here'],
  [{ bootId: 'earlier' }, false, 'gone'],
  [{ bootId: 'earlier', namespaces: 'pid:[2]' }, false, 'gone'],
  [{ bootId: 'another', machineId: 'another' }, false, 'elsewhere'],
  [{ bootId: 'another', machineId: 'another' }, true, 'elsewhere'],
  [{ namespaces: 'pid:[2]' }, false, 'elsewhere'],
  [{ namespaces: 'pid:[2]' }, true, 'gone'],
  [{ namespaces: 'pid:[2]', machineId: 'another' }, true, 'elsewhere'],
] as const)('a handle that differs by %j (own namespace: %s) is %s', (difference, ownNamespace, place) => {
  expect(placeOf({ ...here, ...difference }, here, ownNamespace).place).toBe(place);
});

it('is the same every time on one machine', () => {
  expect(originHere()).toEqual(originHere());
  expect(originHere('mine').machineId).toBe('mine');
});

it('refuses a platform that is not Linux', () => {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform')!;
  try {
    Object.defineProperty(process, 'platform', { ...platform, value: 'darwin' });
    expect(() => processRuntime()).toThrow(UnsupportedPlatformError);
  } finally {
    Object.defineProperty(process, 'platform', platform);
  }
  expect(processRuntime().reach).toBe('machine');
});
