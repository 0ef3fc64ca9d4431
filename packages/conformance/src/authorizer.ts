import {
  type AccessRequest,
  type Authorizer,
  canonical,
  type Decision,
  type Principal,
  type Scope,
} from '@agent-killswitch/core';
import { type Clause, expectThat } from './clause.ts';
import { closing, frozen, within } from './within.ts';

/** How the suite gets at the authorizer under test. */
export interface AuthorizerFactory {
  open(): Promise<Authorizer>;
  /** Requests that its policy allows, so that one which denies everything does not pass for a sound one. */
  readonly allowed: readonly AccessRequest[];
  close?(): Promise<void>;
}
export type AuthorizerClause = Clause<AuthorizerFactory>;

/** The time that the core gives a decision, in milliseconds. */
const decisionMs = 250;

const scopes: readonly Scope[] = [
  { agent: 'a' },
  { task: 't' },
  { workspace: 'w' },
  { backend: 'b' },
  { everything: true },
];
const actions = ['kill', 'release', 'read', 'admit'] as const;

/** Every action on every scope by this principal; agents, tasks and workspaces in `workspaceId`, owned by `ownerId`. */
function requestsOf(principal: Principal, workspaceId = 'w', ownerId = principal.id): AccessRequest[] {
  return actions.flatMap((action) =>
    scopes.map((scope) => {
      const isOwned = 'agent' in scope || 'task' in scope;
      const isPlaced = isOwned || 'workspace' in scope;
      const place = 'workspace' in scope ? { workspace: workspaceId } : scope;
      return frozen({
        principal,
        action,
        scope: place,
        ...(isPlaced && { workspaceId }),
        ...(isOwned && { ownerId }),
      });
    }),
  );
}

const kinds = ['user', 'service', 'agent'] as const;
const nobodies = kinds.map((kind): Principal => ({ id: 'nobody', kind, grants: [] }));
const locals = (['member', 'workspace-admin'] as const).map(
  (role): Principal => ({ id: 'local', kind: 'user', grants: [{ role, workspaceId: 'w' }] }),
);
const chief: Principal = { id: 'chief', kind: 'user', grants: [{ role: 'super-admin' }] };
const mixed = [...nobodies, ...locals, chief].flatMap((principal) => requestsOf(principal));

async function decide(authorizer: Authorizer, request: AccessRequest): Promise<Decision> {
  return within(decisionMs, (async () => authorizer.decide(request))(), 'a decision is made');
}

async function expectDenied(authorizer: Authorizer, requests: readonly AccessRequest[]): Promise<void> {
  for (const request of requests) {
    const { effect } = await decide(authorizer, request);
    expectThat(effect === 'deny', `${brief(request)} is denied, not "${effect}"`);
  }
}

function brief({ principal, action, scope, workspaceId = 'no workspace' }: AccessRequest): string {
  return `${action} of ${canonical(scope)} in ${workspaceId} by ${canonical(principal)}`;
}

/** Every promise of the `Authorizer` port. */
export const authorizerClauses: readonly AuthorizerClause[] = [
  closing('what the policy allows is allowed', async (factory: AuthorizerFactory) => {
    expectThat(factory.allowed.length > 0, 'the factory says what is allowed');
    const authorizer = await factory.open();
    for (const request of factory.allowed) {
      const { effect, reason } = await decide(authorizer, frozen(structuredClone(request)));
      expectThat(effect === 'allow', `${brief(request)} is allowed, not "${effect}": ${reason}`);
    }
  }),

  closing(
    'a principal without grants may do nothing, not even with its own (default deny)',
    async (factory: AuthorizerFactory) => {
      const authorizer = await factory.open();
      for (const principal of nobodies) await expectDenied(authorizer, requestsOf(principal));
    },
  ),

  closing('no grant reaches into another workspace (I11)', async (factory: AuthorizerFactory) => {
    const authorizer = await factory.open();
    for (const principal of locals) {
      const foreign = requestsOf(principal, 'other').filter(({ workspaceId }) => workspaceId === 'other');
      await expectDenied(authorizer, foreign);
    }
  }),

  closing(
    'an agent principal may release nothing, whatever it is granted (I9)',
    async (factory: AuthorizerFactory) => {
      const authorizer = await factory.open();
      for (const { grants } of [chief, ...locals]) {
        const releases = requestsOf({ id: 'agent', kind: 'agent', grants }).filter(
          ({ action }) => action === 'release',
        );
        await expectDenied(authorizer, releases);
      }
    },
  ),

  closing('a decision has an effect, a reason and a policy version', async (factory: AuthorizerFactory) => {
    const authorizer = await factory.open();
    for (const request of [...factory.allowed, ...mixed]) {
      const decision = await decide(authorizer, request);
      expectThat(
        decision?.effect === 'allow' || decision?.effect === 'deny',
        `${brief(request)} is answered allow or deny, not ${String(decision?.effect)}`,
      );
      for (const name of ['reason', 'policyVersion'] as const) {
        const text: unknown = decision[name];
        const isText = typeof text === 'string' && text.trim() !== '' && text.length <= 2_000;
        expectThat(isText, `the ${name} is a text of at most 2,000 characters, not ${String(text)}`);
      }
    }
  }),

  closing('the policy version stays while the policy does', async (factory: AuthorizerFactory) => {
    const authorizer = await factory.open();
    const versions = new Set<string>();
    for (const request of [...factory.allowed, ...mixed]) {
      versions.add((await decide(authorizer, request)).policyVersion);
    }
    expectThat(versions.size === 1, `there is one policy version, not ${[...versions].join(', ')}`);
  }),

  closing(
    'the same request is decided the same, whatever was asked between',
    async (factory: AuthorizerFactory) => {
      const authorizer = await factory.open();
      const requests = [...factory.allowed, ...mixed];
      const first = [];
      for (const request of requests) first.push((await decide(authorizer, request)).effect);
      for (const [at, request] of [...requests.entries()].reverse()) {
        const { effect } = await decide(authorizer, request);
        expectThat(
          effect === first[at],
          `${brief(request)} is again answered "${first[at]}", not "${effect}"`,
        );
      }
    },
  ),

  closing('a request is not changed', async (factory: AuthorizerFactory) => {
    const authorizer = await factory.open();
    for (const request of [...factory.allowed, ...mixed]) {
      const given = structuredClone(request);
      const before = canonical(given);
      await decide(authorizer, given);
      expectThat(canonical(given) === before, `the request stays ${before}`);
    }
  }),

  closing('many requests at once are decided in time', async (factory: AuthorizerFactory) => {
    const authorizer = await factory.open();
    await Promise.all(mixed.map((request) => decide(authorizer, request)));
  }),
];
