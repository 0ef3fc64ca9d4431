import { rolePolicy } from '@agent-killswitch/core';
import { describe, expect, it } from 'vitest';
import { authorizerClauses } from './authorizer.ts';
import { authorizerBugs, authorizerFactory } from './testing/broken-authorizers.ts';
import { brokenClauses } from './testing/only-broken.ts';

describe('rolePolicy keeps every promise', () => {
  for (const clause of authorizerClauses) it(clause.name, () => clause.run(authorizerFactory(rolePolicy)));
});

describe('an authorizer that breaks a promise breaks just that clause', () => {
  it('knows a bug for every clause', () => {
    expect(Object.keys(authorizerBugs)).toEqual(authorizerClauses.map((clause) => clause.name));
  });
  for (const [name, bug] of Object.entries(authorizerBugs)) {
    it.concurrent(name, async () => {
      expect(await brokenClauses(authorizerClauses, () => authorizerFactory(bug))).toEqual([name]);
    });
  }
});

it('ends a clause about an authorizer that never answers', async () => {
  const hung = () => authorizerFactory(() => ({ decide: () => new Promise(() => undefined) }));
  expect(await brokenClauses(authorizerClauses, hung)).toHaveLength(authorizerClauses.length);
}, 10_000);
