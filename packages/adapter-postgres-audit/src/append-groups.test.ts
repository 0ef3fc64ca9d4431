import { sampleEvent } from '@agent-killswitch/conformance';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../../campaigns/seeded-random.ts';
import { AppendGroups } from './append-groups.ts';
import { type Row, rowsOf } from './valid-events.ts';

/** A database that ends a statement when it is told to; `told` are the event ids of each, and whether its wait is short. */
function controlled(deadlineMs = 5_000) {
  const told: string[] = [];
  const open = new Map<string, { resolve(): void; reject(error: unknown): void }>();
  const groups = new AppendGroups(deadlineMs, (rows, ms, waitMs) => {
    expect(ms).toBeLessThanOrEqual(deadlineMs);
    const ids = `${rows.map(({ columns }) => Number(columns.event_id)).join(' ')}${waitMs < ms ? ' soon' : ''}`;
    told.push(ids);
    return new Promise<void>((resolve, reject) => void open.set(ids, { resolve, reject }));
  });
  const ends = (ids: string) => {
    const statement = open.get(ids);
    if (statement === undefined) throw new Error(`"${ids}" is not under way`);
    open.delete(ids);
    return statement;
  };
  return { groups, told, ends };
}

const rows = (...events: (readonly [n: number, workspaceId: string])[]): Row[] =>
  rowsOf(events.map(([n, workspaceId]) => sampleEvent(n, { workspaceId })));
const of = (workspaceId: string, ...numbers: number[]): Row[] =>
  rows(...numbers.map((n) => [n, workspaceId] as const));

/** Lets everything happen that needs no outside event. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('puts together what is appended in one turn, and what comes while a chain is under way', async () => {
  const { groups, told, ends } = controlled();
  const first = [groups.add(of('v', 0)), groups.add(of('w', 1, 2))];
  await turn();
  const later = [groups.add(of('v', 3)), groups.add(of('w', 4)), groups.add(of('v', 5))];
  await turn();
  expect(told).toEqual(['0 1 2 soon']);
  ends('0 1 2 soon').resolve();
  await Promise.all(first);
  await turn();
  expect(told.slice(1)).toEqual(['3 4 5 soon']);
  ends('3 4 5 soon').resolve();
  await Promise.all(later);
});

it('lets a chain that nobody writes to go on at once, and never overtakes on a chain', async () => {
  const { groups, told, ends } = controlled();
  const done: number[] = [];
  const add = (n: number, events: Row[]) => groups.add(events).then(() => done.push(n));
  const all = [add(0, of('v', 0))];
  await turn();
  // The second one is behind the first on v, so the third is behind the second on w.
  all.push(add(1, rows([1, 'v'], [2, 'w'])), add(2, of('w', 3)), add(3, of('x', 4)));
  await turn();
  expect(told).toEqual(['0', '4']);
  ends('0').resolve();
  await turn();
  expect(told.slice(2)).toEqual(['1 2 3 soon']);
  ends('1 2 3 soon').resolve();
  ends('4').resolve();
  await Promise.all(all);
  expect(done).toEqual([0, 1, 2, 3]);
});

it('tries each by itself when a group failed, in order, before what came later: only the bad one fails', async () => {
  const { groups, told, ends } = controlled();
  const answers = Promise.allSettled([
    groups.add(of('v', 0)),
    groups.add(of('v', 1)),
    groups.add(of('w', 2)),
  ]);
  await turn();
  const later = groups.add(of('v', 3));
  ends('0 1 2 soon').reject(new Error('one of them'));
  await turn();
  expect(told.slice(1)).toEqual(['0', '2']);
  ends('2').resolve();
  ends('0').reject(new Error('this one'));
  await turn();
  expect(told.slice(3)).toEqual(['1']);
  ends('1').resolve();
  await turn();
  ends('3').resolve();
  await later;
  expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
});

it('has a few statements under way at most, each no larger than one may be; what is larger goes alone', async () => {
  const { groups, told, ends } = controlled();
  const numbers = Array.from({ length: 1_500 }, (_, n) => n);
  const large = groups.add(of('a', ...Array.from({ length: 3_000 }, (_, n) => n)));
  const all = ['b', 'c', 'd', 'e'].map((chain) => groups.add(of(chain, ...numbers)));
  await turn();
  expect(told.map((ids) => ids.split(' ').length)).toEqual([3_000, 1_500, 1_500, 1_500]);
  ends(told[0] ?? '').resolve();
  await large;
  await turn();
  expect(told).toHaveLength(5);
  expect(all).toHaveLength(4);
});

it('rejects at the deadline of each, and begins nothing of what still waited', async () => {
  const { groups, told, ends } = controlled(30);
  const late = { code: 'postgres-unavailable', message: /no answer within 30 ms/ };
  const first = groups.add(of('w', 0));
  await turn();
  const second = groups.add(of('w', 1));
  await Promise.all([expect(first).rejects.toMatchObject(late), expect(second).rejects.toMatchObject(late)]);
  const third = groups.add(of('w', 2));
  ends('0').reject(new Error('closed'));
  await turn();
  expect(told).toEqual(['0', '2']);
  ends('2').resolve();
  await Promise.allSettled([third]);
});

it('whatever comes when: a chain has one writer and the order of the calls, and only what is bad fails', async () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const random = new SeededRandom(seed);
    const pick = (n: number): number => random.integer(0, n);
    const open: { rows: readonly Row[]; resolve(): void; reject(error: unknown): void }[] = [];
    const onRecord = new Map<string, number[]>();
    const groups = new AppendGroups(60_000, (given) => {
      const busy = new Set(open.flatMap((each) => each.rows.map(({ chain }) => chain)));
      expect(given.filter(({ chain }) => busy.has(chain))).toEqual([]);
      expect(open.length).toBeLessThan(4);
      return new Promise((resolve, reject) => void open.push({ rows: given, resolve, reject }));
    });
    const numberOf = ({ columns }: Row): number => Number(columns.event_id);
    const isBad = (n: number): boolean => n % 13 === seed % 13;
    const endOne = (): void => {
      const [statement] = open.splice(pick(open.length), 1);
      if (statement === undefined) return;
      const isBroken = pick(5) === 0 && statement.rows.length > 3;
      if (isBroken || statement.rows.some((row) => isBad(numberOf(row)))) {
        statement.reject(new Error('no'));
      } else {
        for (const row of statement.rows)
          onRecord.set(row.chain, [...(onRecord.get(row.chain) ?? []), numberOf(row)]);
        statement.resolve();
      }
    };
    const answers: Promise<boolean>[] = [];
    const given: Row[][] = [];
    for (let n = 0; answers.length < 40; ) {
      const events = Array.from({ length: 1 + pick(3) }, () => [n++, `w-${pick(5)}`] as const);
      given.push(rows(...events));
      answers.push(
        groups.add(given.at(-1) ?? []).then(
          () => true,
          () => false,
        ),
      );
      if (pick(2) === 0) await turn();
      if (pick(3) === 0 && open.length > 0) endOne();
    }
    for (await turn(); open.length > 0; await turn()) endOne();
    const taken = await Promise.all(answers);
    expect(taken).toEqual(given.map((each) => !each.some((row) => isBad(numberOf(row)))));
    const expected = given.filter((_, index) => taken[index]).flat();
    for (const chain of new Set(expected.map((row) => row.chain)))
      expect(onRecord.get(chain)).toEqual(expected.filter((row) => row.chain === chain).map(numberOf));
  }
});
