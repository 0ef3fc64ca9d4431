/** Signed checkpoints: what is in them, and when they are made. No database is needed for either. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryAudit } from '@agent-killswitch/core/memory';
import { expect, it, onTestFinished } from 'vitest';
import { readCheckpoint, signCheckpoint, writeCheckpoints } from '../src/index.ts';

const keys = generateKeyPairSync('ed25519');

it('a checkpoint is of its key and its content', () => {
  const heads = [{ partition: 'b', seq: 3, hash: 'a'.repeat(64) }];
  const line = JSON.stringify(signCheckpoint(heads, keys.privateKey, new Date(0)));
  expect(readCheckpoint(line, keys.publicKey)).toMatchObject({ at: '1970-01-01T00:00:00.000Z', heads });
  const other = generateKeyPairSync('ed25519').publicKey;
  for (const [text, key] of [
    [line.replace('"seq":3', '"seq":2'), keys.publicKey],
    [line.replace('1970', '1971'), keys.publicKey],
    [line, other],
    ['{}', keys.publicKey],
    ['', keys.publicKey],
  ] as const)
    expect(() => readCheckpoint(text, key)).toThrow(/Invalid checkpoint/);
});

it('a checkpoint that cannot be made is told, and the next one is tried', async () => {
  const errors: unknown[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'checkpoints-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'missing', 'checkpoints');
  const pem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const privateKey = createPrivateKey(pem);
  const writer = writeCheckpoints(memoryAudit(), path, {
    privateKey,
    everyMs: 20,
    onError: (error) => errors.push(error),
  });
  await expect.poll(() => errors.length).toBeGreaterThan(1);
  writer.stop();
  await expect(writer.make()).rejects.toThrow('ENOENT');
  expect(createPublicKey(privateKey).asymmetricKeyType).toBe('ed25519');
});
