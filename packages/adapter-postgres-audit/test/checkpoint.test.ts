/** Signed checkpoints: what is in them, and when they are made. No database is needed for either. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryAudit } from '@agent-killswitch/core/memory';
import { expect, it, onTestFinished } from 'vitest';
import { readCheckpoint, readCheckpoints, signCheckpoint, writeCheckpoints } from '../src/index.ts';

const keys = generateKeyPairSync('ed25519');
const sink = { heads: async () => [{ partition: 'w', seq: 3, hash: 'a'.repeat(64) }] };

async function fileOfCheckpoints(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'checkpoints-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'checkpoints');
}

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

it('what was signed before a change of keys is read with the old key beside the new one', async () => {
  const next = generateKeyPairSync('ed25519');
  const path = await fileOfCheckpoints();
  await writeCheckpoints(sink, path, { privateKey: keys.privateKey }).make();
  await writeCheckpoints(sink, path, { privateKey: next.privateKey }).make();
  expect(await readCheckpoints(path, [keys.publicKey, next.publicKey])).toHaveLength(1);
  await expect(readCheckpoints(path, next.publicKey)).rejects.toThrow(/line 1: keyId/);
});

it('a file without a checkpoint vouches for nothing', async () => {
  const path = await fileOfCheckpoints();
  await writeFile(path, '\n');
  await expect(readCheckpoints(path, keys.publicKey)).rejects.toMatchObject({
    code: 'invalid-input',
    message: /there is none/,
  });
});

it('half a line, as a full disk leaves it, does not spoil the next one', async () => {
  const path = await fileOfCheckpoints();
  const { make } = writeCheckpoints(sink, path, { privateKey: keys.privateKey });
  await make();
  const whole = await readFile(path, 'utf8');
  await appendFile(path, whole.slice(0, 50));
  await make();
  const lines = (await readFile(path, 'utf8')).split('\n');
  expect(lines).toHaveLength(4);
  expect(readCheckpoint(lines[2] ?? '', keys.publicKey).heads).toEqual(await sink.heads());
});

it('knows at once of a key that cannot sign, and of a time that no timer can wait', () => {
  const { privateKey, publicKey } = keys;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey;
  for (const options of [
    { privateKey: publicKey },
    { privateKey: rsa },
    { privateKey, everyMs: Number.NaN },
    { privateKey, everyMs: 30 * 86_400_000 },
  ])
    expect(() => writeCheckpoints(sink, '/nowhere', options)).toThrow(
      /writeCheckpoints (privateKey|everyMs)/,
    );
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
