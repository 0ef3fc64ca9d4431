import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { createKillswitch, type Killswitch, type Principal } from '@agent-killswitch/core';
import { memoryAudit, memoryRuntime, memoryState } from '@agent-killswitch/core/memory';
import { killswitchRouter } from '@agent-killswitch/express-router';
import express from 'express';
import type { Report } from './report.ts';
import type { Load, Loaded } from './support/http-load.ts';

const kills = 4_000;
const rounds = 3;
const swarm = 10_000;
const stops = 10;
const floodPerSecond = 2_000;

const root: Principal = { id: 'root', kind: 'user', grants: [{ role: 'super-admin' }] };
const mia: Principal = { id: 'mia', kind: 'user', grants: [{ role: 'member', workspaceId: 'w' }] };

/**
 * Kills over HTTP against a bare Express route that parses the same JSON; and how long an emergency stop takes while
 * 10,000 agents are being killed and strangers and members send 2,000 requests a second.
 */
export default async function bench(report: Report): Promise<void> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const [our, plain] = [await killRate(), await bareRate()];
    // The first of each warms up.
    if (round > 0) ours.push(our);
    if (round > 0) bare.push(plain);
  }
  report({
    metric: 'http.kill',
    value: median(ours),
    unit: 'requests/s',
    baseline: median(bare),
    limit: 0.6,
    direction: 'atLeast',
    n: kills * rounds,
  });
  const { times, flooded, refused } = await stopsUnderFlood();
  times.sort((a, b) => a - b);
  report({
    metric: 'http.emergency-stop',
    value: times.at(-1) ?? Number.NaN,
    unit: 'ms',
    limit: 1_000,
    n: stops,
  });
  report({ metric: 'http.emergency-stop.flood', value: flooded, unit: 'requests/s', n: stops });
  report({ metric: 'http.emergency-stop.refused', value: refused, unit: 'stops', limit: 0, n: stops });
}

async function killRate(): Promise<number> {
  const { ks, runtime } = killswitch();
  await ks.start();
  for (let n = 0; n < kills; n++) await admit(ks, runtime, n);
  const server = await listen(express().use(killswitchRouter(ks, { authenticate: () => mia })));
  const { seconds, statuses } = await load(server, { count: kills, path: '/tasks/task-N/kill', atOnce: 32 });
  if (statuses[200] !== kills) throw new Error(`Not everybody was killed: ${JSON.stringify(statuses)}`);
  await close(server);
  await ks.close();
  return kills / seconds;
}

async function bareRate(): Promise<number> {
  const app = express().post('/tasks/:id/kill', express.json(), (request, response) => {
    response.json({ id: request.params.id, reason: request.body.reason });
  });
  const server = await listen(app);
  const { seconds } = await load(server, { count: kills, path: '/tasks/task-N/kill', atOnce: 32 });
  await close(server);
  return kills / seconds;
}

async function stopsUnderFlood() {
  const { ks, runtime } = killswitch();
  await ks.start();
  const known: Record<string, Principal> = { 'Bearer root': root, 'Bearer mia': mia };
  const authenticate = (request: { headers: { authorization?: string | undefined } }) =>
    known[request.headers.authorization ?? ''];
  const server = await listen(express().use(killswitchRouter(ks, { authenticate })));
  const flood = load(server, { perSecond: floodPerSecond, path: '/tasks/none-N/kill', atOnce: 64 });
  const times: number[] = [];
  let refused = 0;
  for (let round = 0; round < stops; round++) {
    for (let n = 0; n < swarm; n++) await admit(ks, runtime, round * swarm + n);
    const killing = post(server, '/workspaces/w/kill-all');
    const begun = performance.now();
    const { status } = await post(server, '/emergency-stop');
    times.push(performance.now() - begun);
    if (status !== 200 && status !== 202) refused += 1;
    await killing;
    await ks.release({ everything: true }, { principal: root, reason: 'bench' });
  }
  await flood.end();
  const { seconds, statuses } = await flood;
  await close(server);
  await ks.close();
  return { times, refused, flooded: Object.values(statuses).reduce((a, b) => a + b, 0) / seconds };
}

function killswitch() {
  const runtime = memoryRuntime();
  const ks = createKillswitch({
    hostId: 'h',
    state: memoryState(),
    audit: memoryAudit(),
    runtimes: { memory: runtime },
  });
  return { ks, runtime };
}

async function admit(ks: Killswitch, runtime: ReturnType<typeof memoryRuntime>, n: number): Promise<void> {
  await ks.admit({ agentId: `a-${n}`, taskId: `task-${n}`, workspaceId: 'w', ownerId: 'mia' });
  await ks.running(`a-${n}`, [runtime.spawn('cooperative')]);
}

async function post(server: Server, path: string): Promise<Response> {
  const response = await fetch(`http://127.0.0.1:${portOf(server)}${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer root', 'content-type': 'application/json' },
    body: '{"reason":"bench"}',
  });
  await response.arrayBuffer();
  return response;
}

/** Requests from a thread of their own, so that what sends them does not slow down what answers. */
function load(server: Server, wanted: Omit<Load, 'port'>): Promise<Loaded> & { end(): Promise<void> } {
  const data: Load = { ...wanted, port: portOf(server) };
  const worker = new Worker(new URL('./support/http-load.ts', import.meta.url), { workerData: data });
  const loaded = new Promise<Loaded>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return Object.assign(loaded, { end: async () => worker.postMessage('end') });
}

async function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
