import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { problemCodes } from '../src/problem.ts';

describe('docs/http.md', () => {
  it('has a row for each problem there is, and for no other', () => {
    const text = readFileSync(new URL('../../../docs/http.md', import.meta.url), 'utf8');
    const table = text.slice(text.indexOf('## Problems'));
    const rows = [...table.matchAll(/^\| (`[^|]+`) \| (\d{3}) \|/gm)];
    const told = rows.flatMap(([, codes = '', status]) =>
      [...codes.matchAll(/`([a-z-]+)`/g)].map(([, code]) => [code, Number(status)]),
    );
    expect(Object.fromEntries(told)).toEqual(problemCodes);
  });
});
