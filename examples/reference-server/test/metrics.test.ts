/** `GET /metrics` of a real server with real agents: who may read it, and that it says what the record says. */
import prom, { type PromData, type PromHistogramData } from 'prom2javascript';
import { expect, onTestFinished, test } from 'vitest';
import { Site, tokens } from './support/reference-server.ts';

const scraper = 'token-of-a-prometheus';

function newSite(): Site {
  const site = new Site({ METRICS_TOKEN: scraper });
  onTestFinished(() => site.dispose());
  return site;
}

const scrape = (url: string, token?: string): Promise<Response> =>
  fetch(`${url}/metrics`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

test('whoever may read everything may read it, and a token that is good for nothing else', async () => {
  const site = newSite();
  const server = await site.boot();
  const statuses = async (...given: (string | undefined)[]) =>
    Promise.all(given.map(async (token) => (await scrape(server.url, token)).status));
  expect(await statuses(undefined, '', 'nonsense', `${scraper}x`)).toEqual([401, 401, 401, 401]);
  expect(await statuses(tokens.mia, tokens.adam, tokens.zoe)).toEqual([403, 403, 403]);
  expect(await statuses(tokens.sue, scraper)).toEqual([200, 200]);
  expect(site.events().filter(({ type }) => type === 'request.denied')).toHaveLength(3);
  expect(
    (await server.call('POST', '/api/orchestrator/emergency-stop', scraper, { reason: 'drill' })).status,
  ).toBe(401);
  expect((await server.call('GET', '/api/orchestrator/status', scraper)).status).toBe(401);
  const refused = await scrape(server.url);
  expect(refused.headers.get('content-type')).toContain('application/problem+json');
});

test('it counts what is on record', async () => {
  const site = newSite();
  const server = await site.boot();
  for (const [n, behaviour] of ['cooperative', 'stubborn', 'forking'].entries())
    await server.spawn(tokens.mia, `task-${n}`, behaviour);
  await server.call('POST', '/api/orchestrator/tasks/task-0/kill', tokens.mia, { reason: 'it went rogue' });
  await server.call('POST', '/api/orchestrator/tasks/task-1/kill', tokens.nia, { reason: 'mischief' });
  await server.call('POST', '/api/orchestrator/emergency-stop', tokens.sue, { reason: 'drill' });
  const answer = await scrape(server.url, scraper);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const metrics = await prom.getMetricsFromIterator((await answer.text()).split('\n').values());
  const samples = (name: string) => (metrics[name]?.data ?? []) as PromData[];
  const byType: Record<string, number> = {};
  for (const { type } of site.events()) byType[type] = (byType[type] ?? 0) + 1;
  expect(
    Object.fromEntries(
      samples('killswitch_audit_events_total').map(({ labels, value }) => [labels.type, value]),
    ),
  ).toEqual(byType);
  expect(byType).toMatchObject({ 'agent.killed': 3, 'request.denied': 1, 'order.settled': 2 });
  const deaths = (metrics.killswitch_time_to_death_seconds?.data ?? []) as PromHistogramData[];
  expect(deaths.reduce((sum, { count }) => sum + count, 0)).toBe(3);
  expect(samples('killswitch_gates_shut').find(({ labels }) => labels.scope === 'everything')?.value).toBe(1);
  expect(samples('killswitch_state_up')).toMatchObject([{ value: 1 }]);
});

test('a token that is too easy to guess is refused at the start', async () => {
  const { code, stderr } = await newSite().refuse({ METRICS_TOKEN: 'short-t0ken' });
  expect([code, stderr]).toEqual([1, expect.stringContaining('METRICS_TOKEN')]);
  expect(stderr).not.toContain('short-t0ken');
});
