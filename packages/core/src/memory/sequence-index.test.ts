import { expect, it } from 'vitest';
import { SequenceIndex } from './sequence-index.ts';

it('holds what a plain sorted list would hold, through 5,000 changes', () => {
  const expected = new Set<number>();
  const index = new SequenceIndex((seq) => expected.has(seq));
  let state = 7;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % bound;
  };
  for (let change = 0; change < 5_000; change += 1) {
    const seq = below(200);
    if (!expected.has(seq)) {
      expected.add(seq);
      index.add(seq);
    } else {
      expected.delete(seq);
      index.forget();
    }
    const after = below(220) - 10;
    const limit = 1 + below(40);
    const members = [...expected].filter((member) => member > after).sort((a, b) => a - b);
    expect(index.after(after, limit)).toEqual(members.slice(0, limit));
    expect(index.size).toBe(expected.size);
  }
});

it('stays in step with its members when 100,000 come and go in any order', () => {
  const count = 100_000;
  const gone = new Set<number>();
  const index = new SequenceIndex((seq) => !gone.has(seq));
  for (let seq = 0; seq < count; seq += 1) index.add(seq);
  for (let at = 0; at < count - 3; at += 1) {
    gone.add((at * 7_919) % count);
    index.forget();
  }
  const left = [count - 3, count - 2, count - 1].map((at) => (at * 7_919) % count).sort((a, b) => a - b);
  expect(index.after(-1, 10)).toEqual(left);
  expect(index.size).toBe(3);
});
