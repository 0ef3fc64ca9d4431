/** @services valkey */
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
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

/** What every session store has to do. `reopened`: the same store as another process sees it. */
function behavesLikeAStore(
  make: () => SessionStore,
  reopened: ((store: SessionStore) => SessionStore) | undefined,
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
}

describe('memorySessions', () => {
  behavesLikeAStore(() => memorySessions(), undefined);
});

describe('fileSessions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sessions-'));
  let last = '';
  afterAll(() => rmSync(folder, { recursive: true }));
  const make = (): SessionStore => {
    last = join(folder, randomUUID());
    return fileSessions(last);
  };
  behavesLikeAStore(make, () => fileSessions(last));

  it('refuses a file that holds another session than it is named by (I11)', async () => {
    const store = make();
    await store.put({ sessionId: 's1', workspaceId: 'w', startedAt: 1 });
    copyFileSync(join(last, 's1.json'), join(last, 'S1.json'));
    await expect(store.get('S1')).rejects.toThrow('is the file of session "s1"');
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
  behavesLikeAStore(make, () => redisSessions(other, { prefix }));

  it('refuses what is no client, and a prefix that is none', () => {
    expect(() => redisSessions({} as never)).toThrow('needs a client');
    expect(() => redisSessions(client, { prefix: 'a{b}' })).toThrow('prefix');
  });
});
