import type { Principal } from '@agent-killswitch/core';
import { killswitchRouter } from '@agent-killswitch/express-router';
import express, { type Request } from 'express';
import type { Report } from '../report.ts';
import type { LoadProcess } from '../support/load-process.ts';
import { admit, crew, mia, root, served } from './served.ts';

const swarm = 10_000;
const stops = 10;
const flood = { paths: ['/tasks/none-N/kill'], tokens: ['nobody', 'mia'], atOnce: 512, perSecond: 2_000 };
/** The emergency stop is asked for 20 ms after a kill-all of everybody. */
const both = { paths: ['/workspaces/w/kill-all', '/emergency-stop'], tokens: ['root'] };
const pace = { atOnce: 2, count: 2, perSecond: 50 };

const known: Readonly<Record<string, Principal>> = { 'Bearer root': root, 'Bearer mia': mia };
const authenticate = ({ headers }: Request) => known[headers.authorization ?? ''];

/**
 * How long an emergency stop takes while 10,000 agents are being killed and strangers and members, who own nothing of
 * what they would kill, send 2,000 requests a second.
 */
export async function stopUnderFlood(
  report: Report,
  sender: LoadProcess,
  operator: LoadProcess,
): Promise<void> {
  const some = await crew();
  const times: number[] = [];
  let refused = 0;
  const flooded = await served(express().use(killswitchRouter(some.ks, { authenticate })), async (port) => {
    const flooding = sender.run({ port, ...flood });
    for (let round = 0; round < stops; round++) {
      await admit(some, round * swarm, swarm);
      const { statuses, waitsMs } = await operator.run({ port, ...both, ...pace });
      times.push(waitsMs[1] ?? Number.NaN);
      refused += pace.count - (statuses[200] ?? 0) - (statuses[202] ?? 0);
      await some.ks.release({ everything: true }, { principal: root, reason: 'bench' });
    }
    sender.end();
    return flooding;
  });
  await some.ks.close();
  const rate = Object.values(flooded.statuses).reduce((a, b) => a + b, 0) / flooded.seconds;
  report({ metric: 'http.emergency-stop', value: Math.max(...times), unit: 'ms', limit: 1_000, n: stops });
  report({ metric: 'http.emergency-stop.flood', value: rate, unit: 'requests/s', n: stops });
  report({ metric: 'http.emergency-stop.refused', value: refused, unit: 'stops', limit: 0, n: stops });
}
