import { expect, it } from 'vitest';
import { cryptoRandomBytes, factId, ulid } from './ids.ts';

it('makes ids of 26 characters that sort by time and do not repeat', () => {
  const ids = Array.from({ length: 1_000 }, (_, i) => ulid(1_700_000_000_000 + i, cryptoRandomBytes));
  expect(ids.every((id) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(id))).toBe(true);
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(Array.from({ length: 10_000 }, () => ulid(1, cryptoRandomBytes))).size).toBe(10_000);
});

it('I4: gives the same fact the same id, and other facts others', () => {
  expect(factId(5, 'agent.killed a1')).toBe(factId(5, 'agent.killed a1'));
  expect(new Set(['a', 'b', 'c'].map((fact) => factId(5, fact))).size).toBe(3);
  expect(factId(5, 'a')).not.toBe(factId(6, 'a'));
  expect(factId(5, 'b') < factId(6, 'a')).toBe(true);
});
