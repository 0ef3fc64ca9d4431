import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createKillswitch } from '@agent-killswitch/core';
import { memoryAudit, memoryState } from '@agent-killswitch/core/memory';
import express from 'express';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killswitchRouter } from '../src/index.ts';

const folder = new URL('../console/', import.meta.url);
const outOfBand = `kill -9 $$ $& $' $1; stop "them" & <all>; echo '</script>'`;

let server: Server;
let url: string;
beforeAll(async () => {
  const ks = createKillswitch({ hostId: 'h', state: memoryState(), audit: memoryAudit(), runtimes: {} });
  const options = { authenticate: () => undefined, console: { outOfBand } };
  server = createServer(express().use('/at', killswitchRouter(ks, options)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/at/console`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

it('a page that needs every file of its folder finds it, by a policy that lets in nothing else and nothing inline', async () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(html|css|svg|js)$/.test(name),
  );
  expect(files.length).toBeGreaterThan(20);
  for (const name of files) {
    const answer = await fetch(`${url}/${name}`);
    expect(answer.status, name).toBe(200);
    const text = await answer.text();
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*|data:|blob:/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    for (const [, module, linked] of text.matchAll(/from '(\.[^']+)'|(?:src|href)="([a-z][^"]*)"/g))
      expect(files).toContain(new URL(module ?? linked ?? '', `file:///${name}`).pathname.slice(1));
    expect(text).not.toMatch(/https?:\/\/(?!www\.w3\.org)|innerHTML|style="|onclick="/);
  }
});

it('nothing but its files is served, and what it is told cannot become markup', async () => {
  for (const name of [
    'tsconfig.json',
    'types.d.ts',
    '../package.json',
    '..%2fpackage.json',
    'views/',
    'views',
  ])
    expect((await fetch(`${url}/${name}`)).status, name).not.toBe(200);
  const page = await (await fetch(`${url}/`)).text();
  const given = /name="killswitch-options" content="([^"]*)"/.exec(page)?.[1] ?? '';
  expect(given).not.toMatch(/[<"]/);
  const text = given.replaceAll('&lt;', '<').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  expect(JSON.parse(text)).toEqual({ outOfBand });
});
