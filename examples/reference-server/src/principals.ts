import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describeError, type Principal, principalSchema } from '@agent-killswitch/core';
import type { Authenticate } from '@agent-killswitch/express-router';
import { z } from 'zod';
import { ServerConfigError } from './config.ts';

const fileSchema = z
  .record(
    z.string().regex(/^[\x21-\x7e]{1,512}$/, 'a token is 1 to 512 visible ASCII characters'),
    principalSchema,
  )
  .refine((tokens) => Object.keys(tokens).length > 0, 'it names nobody, so nobody could stop anything');

/** Bearer token → who it stands for. */
export type Tokens = ReadonlyMap<string, Principal>;

/** @throws ServerConfigError naming the file and the fault, never a token. */
export async function readTokens(file: string): Promise<Tokens> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const fault = error instanceof SyntaxError ? 'it is not valid JSON' : describeError(error);
    throw new ServerConfigError(`Cannot read REFERENCE_PRINCIPALS_FILE ${file}: ${fault}`);
  }
  const parsed = fileSchema.safeParse(content);
  if (parsed.success) return new Map(Object.entries(parsed.data));
  // A path starts with the token, which must not be shown: its place in the file is.
  const names = Object.keys(content ?? {});
  const faults = parsed.error.issues.map(({ path: [token, ...rest], message }) =>
    token === undefined
      ? message
      : `entry ${names.indexOf(String(token)) + 1}: ${[...rest].join('.')} ${message}`,
  );
  throw new ServerConfigError(`Invalid REFERENCE_PRINCIPALS_FILE ${file}: ${faults.join('; ')}`);
}

/** Three fresh tokens: a member and an admin of workspace `demo`, and a super admin. */
export function makeTokens(): Tokens {
  const principals: Principal[] = [
    { id: 'demo-member', kind: 'user', grants: [{ role: 'member', workspaceId: 'demo' }] },
    { id: 'demo-admin', kind: 'user', grants: [{ role: 'workspace-admin', workspaceId: 'demo' }] },
    { id: 'super-admin', kind: 'user', grants: [{ role: 'super-admin' }] },
  ];
  return new Map(principals.map((principal) => [randomBytes(18).toString('base64url'), principal]));
}

/** Looks tokens up by their hash, so that the time it takes says nothing about them. */
export function authenticateBy(tokens: Tokens): Authenticate {
  const byHash = new Map([...tokens].map(([token, principal]) => [hashOf(token), principal]));
  return (request) => {
    const token = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1];
    return token === undefined ? undefined : byHash.get(hashOf(token));
  };
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
