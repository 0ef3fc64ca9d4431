/** The core runs anywhere: no Node in it, and time and chance come in at two doors only (DESIGN "Houses and their doors"). */
import { readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { createContext, runInContext, runInNewContext } from 'node:vm';
import { transformWithOxc } from 'vite';
import { beforeAll, describe, expect, test } from 'vitest';
import { browserBundle } from './support/browser-bundle.ts';
import type { BrowserKill } from './support/browser-kill.ts';
import { expectKilled } from './support/expect-killed.ts';
import { freeNames } from './support/free-names.ts';

/** What every ECMAScript engine has, asked of one. */
const language = new Set(runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[]);
/** What browsers, workers and Node all have besides, and what the library may use of it. */
const web = {
  AbortController,
  console,
  crypto,
  setTimeout,
  clearTimeout,
  queueMicrotask,
  structuredClone,
  TextEncoder,
  DOMException,
  performance,
};

/** What zod may use besides where it finds it. */
const ofZod = ['navigator', 'URL', 'atob', 'File'];

const isKnown = (name: string) =>
  language.has(name.split('.')[0] ?? name) || name === 'new Date' || name in web;

describe('the bundle for a browser', () => {
  let code = '';
  let asked: readonly string[] = [];

  beforeAll(async () => {
    ({ code, asked } = await browserBundle());
  });

  test('imports nothing of Node', () => {
    const builtins = new Set(builtinModules);
    expect(asked.length).toBeGreaterThan(50);
    expect(asked.filter((id) => id.startsWith('node:') || builtins.has(id))).toEqual([]);
    expect(code).not.toMatch(/["']node:/);
  });

  test('takes from its surroundings what every browser has, and nothing else', () => {
    const unknown = [...freeNames(code)].filter((name) => !isKnown(name) && !ofZod.includes(name));
    expect(unknown).toEqual([]);
  });

  test('kills a stubborn agent where there is nothing but what a page has (I3)', async () => {
    const context = createContext({ ...web });
    runInContext(code, context);
    const kill = (await runInContext('agentKillswitch.browserKill()', context)) as BrowserKill;
    expectKilled(kill);
  }, 30_000);
});

describe('the source', () => {
  const root = join(import.meta.dirname, '../packages/core/src');
  const uses = new Map<string, Set<string>>();

  beforeAll(async () => {
    for (const entry of await readdir(root, { recursive: true })) {
      if (!entry.endsWith('.ts') || entry.endsWith('.test.ts') || entry.startsWith('testing')) continue;
      const { code } = await transformWithOxc(await readFile(join(root, entry), 'utf8'), entry);
      uses.set(entry, freeNames(code));
    }
  });

  const usersOf = (name: string) => [...uses].filter(([, names]) => names.has(name)).map(([file]) => file);

  test.each([
    ['Date.now', ['system-clock.ts']],
    ['setTimeout', ['system-clock.ts']],
    ['clearTimeout', ['system-clock.ts']],
    ['globalThis.crypto', ['ids.ts']],
    ['new Date', ['audit-event.ts']],
    ['Math.random', []],
    ['performance', ['system-clock.ts']],
    ['crypto', []],
  ])('names %s in %j only', (name, files) => {
    expect(usersOf(name)).toEqual(files);
  });

  test('names nothing that a browser lacks', () => {
    expect(uses.size).toBeGreaterThan(40);
    for (const [file, names] of uses) {
      expect([file, [...names].filter((name) => !isKnown(name))]).toEqual([file, []]);
    }
  });
});

test.each([
  ['process.exit()', 'process'],
  ['if (typeof Buffer === "function") f = 1; let f;', 'Buffer'],
  ['export const a = ({ b = require("x") }) => b;', 'require'],
  ['function f() { { var setImmediate; } } setImmediate(f);', 'setImmediate'],
  ['for (const process of []) { process(); } process;', 'process'],
  ['class A { process = 1; m() { return { process }; } }', 'process'],
  ['try {} catch (__dirname) { __dirname } __dirname;', '__dirname'],
  ['new Date()', 'new Date'],
  ['const { now } = { x: Date.now() };', 'Date.now'],
  ['globalThis.process', 'globalThis.process'],
])('finds in %j what it takes from outside', (code, name) => {
  expect(freeNames(code)).toContain(name);
});

test.each([
  'const process = 1; process;',
  'import { Buffer } from "x"; Buffer;',
  'import require from "x"; export { require };',
  'const a = { process: 1, Buffer() {} }; a.process; a.setImmediate();',
  'function process() {} { process(); }',
  '(process, [Buffer], { require, x: __dirname = 1 }, ...rest) => [process, Buffer, require, __dirname, rest];',
  'process: for (;;) { break process; }',
  'if (1) { let process; process; } else { var Buffer; } Buffer;',
  'export { a as process }; const a = 1;',
  'export { process, Buffer as b } from "x";',
  'switch (1) { case 1: let process; process; }',
  'const f = function process() { return process; };',
])('finds nothing of Node in %j', (code) => {
  const ofNode = ['process', 'Buffer', 'require', 'setImmediate', '__dirname'];
  expect([...freeNames(code)].filter((name) => ofNode.includes(name))).toEqual([]);
});
