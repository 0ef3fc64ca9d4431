/** @services valkey */
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, it } from 'vitest';
import { withService } from '../../../test/support/with-service.ts';
import {
  fileSessions,
  memorySessions,
  redisSessions,
  type SessionRecord,
  type SessionStore,
} from '../src/index.ts';

const recordOf = (n: number, workspaceId = 'w', text = 'x'): SessionRecord => ({
  ...{ sessionId: `s-${n}`, workspaceId, startedAt: 1_000 + Math.floor(n / 2) },
  checkpoint: { json: JSON.stringify(text), savedAt: 5, number: 1 },
});

/**
 * What every session store has to do. `reopened`: the same store as another process sees it. `damage`: puts something else in the
 * place of a session's record.
 */
function behavesLikeAStore(
  make: () => SessionStore,
  reopened?: (store: SessionStore) => SessionStore,
  damage?: (sessionId: string, by: string) => Promise<unknown>,
): void {
  it('keeps the last record put', async () => {
    const store = make();
    expect(await store.get('s-1')).toBeUndefined();
    expect(await store.list({ limit: 10 })).toEqual({ items: [] });
    const { checkpoint: _, ...bare } = recordOf(1);
    await store.put(bare);
    expect(await store.get('s-1')).toEqual(bare);
    const told = recordOf(1, 'w', '"\\ \u2028 ä 😀 \u0000');
    await store.put(told);
    told.startedAt = 9;
    const kept = await (reopened?.(store) ?? store).get('s-1');
    expect(kept).toEqual({ ...recordOf(1, 'w', '"\\ \u2028 ä 😀 \u0000') });
    expect(await store.list({ limit: 10 })).toMatchObject({ items: [{ sessionId: 's-1' }] });
  });

  it('lists the newest first, page by page, by workspace or all', async () => {
    const store = make();
    for (let n = 0; n < 9; n++) await store.put(recordOf(n, n % 3 === 0 ? 'v' : 'w'));
    const listed = async (workspaceId?: string): Promise<string[]> => {
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.list(
          cursor === undefined ? { limit: 2 } : { limit: 2, cursor },
          workspaceId,
        );
        ids.push(...page.items.map(({ sessionId }) => sessionId.slice(2)));
        cursor = page.cursor;
        // One that is put meanwhile shifts nothing.
        if (ids.length === 2) await store.put(recordOf(90, 'v'));
        if (ids.length === 4) await store.put(recordOf(6, 'v'));
      } while (cursor !== undefined);
      return ids;
    };
    expect((await listed()).join(' ')).toBe('8 7 6 5 4 3 2 1 0');
    expect((await listed('v')).join(' ')).toBe('90 6 3 0');
    expect((await listed('w')).join(' ')).toBe('8 7 5 4 2 1');
    expect(await listed('none')).toEqual([]);
  });

  it('a cursor of a page that was the last is none', async () => {
    const store = make();
    for (let n = 0; n < 4; n++) await store.put(recordOf(n));
    const first = await store.list({ limit: 2 });
    const second = await store.list({ limit: 2, cursor: first.cursor ?? '' });
    expect(second.items).toHaveLength(2);
    expect(second).not.toHaveProperty('cursor');
  });

  it('a page of large checkpoints ends early, and the next one goes on there (I5, I12)', async () => {
    const store = make();
    const text = 'x'.repeat(2 ** 20);
    for (let n = 0; n < 11; n++) await store.put(recordOf(n, 'w', text));
    const sizes: number[] = [];
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.list(cursor === undefined ? { limit: 1_000 } : { limit: 1_000, cursor });
      sizes.push(page.items.length);
      ids.push(...page.items.map(({ sessionId }) => sessionId));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(Math.max(...sizes)).toBeLessThan(11);
    expect(ids).toEqual(Array.from({ length: 11 }, (_, n) => `s-${10 - n}`));
  });

  it('forgets what is removed, and nothing else; what is not there too', async () => {
    const store = make();
    for (let n = 0; n < 3; n++) await store.put(recordOf(n));
    for (let times = 0; times < 2; times++) await store.remove(recordOf(1));
    expect(await store.get('s-1')).toBeUndefined();
    for (const workspaceId of [undefined, 'w'])
      expect((await store.list({ limit: 5 }, workspaceId)).items).toEqual([recordOf(2), recordOf(0)]);
  });

  if (damage === undefined) return;
  const others = JSON.stringify(recordOf(7));
  it.each(['', '{', '{}', 'null', '[1]', others])(
    'a record that holds %j instead fails no listing: it is named, and can be forgotten',
    async (by) => {
      const store = make();
      for (let n = 0; n < 3; n++) await store.put(recordOf(n));
      await damage('s-1', by);
      await expect(store.get('s-1')).rejects.toThrow(/s-1.* cannot be read: /);
      expect(await store.list({ limit: 5 })).toEqual({
        items: [recordOf(2), recordOf(0)],
        damaged: [{ sessionId: 's-1', fault: expect.stringMatching(/s-1.* cannot be read: /) }],
      });
      // Those of other pages are not looked at.
      expect(await store.list({ limit: 1 })).toEqual({ items: [recordOf(2)], cursor: expect.any(String) });
      await store.remove(recordOf(1));
      expect(await store.list({ limit: 5 })).toEqual({ items: [recordOf(2), recordOf(0)] });
    },
  );
}

describe('memorySessions', () => {
  behavesLikeAStore(() => memorySessions());
});

describe('fileSessions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sessions-'));
  let last = '';
  afterAll(() => rmSync(folder, { recursive: true }));
  const make = (): SessionStore => {
    last = join(folder, randomUUID());
    return fileSessions(last);
  };
  behavesLikeAStore(
    make,
    () => fileSessions(last),
    (id, by) => writeFile(join(last, `${id}.json`), by),
  );

  it('what else lies in its folders disturbs nothing', async () => {
    const store = make();
    await store.put(recordOf(1));
    await writeFile(join(last, 'package.json'), '{}');
    await mkdir(join(last, 'folder.json'));
    await writeFile(join(last, '.listed', 'README'), '');
    await writeFile(join(last, '.listed', 'w', '.DS_Store'), '');
    await mkdir(join(last, '.listed', 'w', 'more'));
    expect(await store.list({ limit: 5 })).toEqual({ items: [recordOf(1)] });
    await expect(store.get('folder')).rejects.toThrow('folder.json cannot be read: Error: EISDIR');
  });

  it('writes that cross leave a whole record, and no draft', async () => {
    const store = make();
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => store.put(recordOf(1, 'w', 'x'.repeat(50_000 + n)))),
    );
    expect(JSON.parse((await store.get('s-1'))?.checkpoint?.json ?? '')).toMatch(/^x{50000,50019}$/);
    expect(await readdir(last)).toEqual(['.listed', 's-1.json']);
  });

  it('refuses what is no folder, by name', () => {
    for (const folder of [undefined, '', 7])
      expect(() => fileSessions(folder as never)).toThrow('fileSessions folder');
  });

  it('refuses a file that holds another session than it is named by (I11)', async () => {
    const store = make();
    await store.put({ sessionId: 's1', workspaceId: 'w', startedAt: 1 });
    copyFileSync(join(last, 's1.json'), join(last, 'S1.json'));
    await expect(store.get('S1')).rejects.toThrow('it is that of session "s1"');
    expect(await store.get('s1')).toMatchObject({ sessionId: 's1' });
  });
});

withService('valkey', 'VALKEY_URL', (url) => {
  const client = new Redis(url);
  const other = new Redis(url);
  afterAll(() => [client.disconnect(), other.disconnect()]);
  let prefix = '';
  const make = (): SessionStore => {
    prefix = `sessions-${randomUUID()}`;
    return redisSessions(client, { prefix });
  };
  const keyOf = (id: string): string => `{${prefix}}:session:${id}`;
  behavesLikeAStore(
    make,
    () => redisSessions(other, { prefix }),
    (id, by) => client.set(keyOf(id), by),
  );

  it('a key of another type fails no listing; a server that is gone does', async () => {
    const store = make();
    for (let n = 0; n < 2; n++) await store.put(recordOf(n));
    await client.del(keyOf('s-1'));
    await client.lpush(keyOf('s-1'), 'x');
    expect(await store.list({ limit: 5 })).toMatchObject({
      items: [recordOf(0)],
      damaged: [{ sessionId: 's-1', fault: expect.stringContaining('WRONGTYPE') }],
    });
    const gone = new Redis(url);
    await gone.ping();
    gone.disconnect();
    await expect(redisSessions(gone, { prefix }).list({ limit: 5 })).rejects.toThrow();
  });

  it('refuses what is no client, and a prefix that is none', () => {
    expect(() => redisSessions({} as never)).toThrow('needs a client');
    expect(() => redisSessions(client, { prefix: 'a{b}' })).toThrow('prefix');
  });
});
