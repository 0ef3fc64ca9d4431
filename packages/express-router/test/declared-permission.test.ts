import { expect, it } from 'vitest';
import { route } from '../src/index.ts';

it('a route without a declared permission does not compile, nor one with a permission that there is not', () => {
  const facts = {
    method: 'GET',
    path: '/x',
    summary: 'x',
    answers: {},
    handle: () => ({ status: 200 }),
  } as const;
  // @ts-expect-error The build fails without a permission.
  const without = route(facts);
  // @ts-expect-error The build fails with one that nobody checks.
  const unknown = route({ ...facts, permission: 'anything' });
  expect([without.permission, unknown.permission]).toEqual([undefined, 'anything']);
});
