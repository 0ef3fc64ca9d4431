import { sendRaw } from '../packages/express-router/test/support/raw-request.ts';
import { routes } from '../packages/express-router/test/support/routes.ts';
import { openSite, type Site } from '../packages/express-router/test/support/site.ts';
import type { Campaign } from './campaign.ts';
import { SeededRandom } from './seeded-random.ts';

const agents = ['a1', 'a2', 'a3'];
const atOnce = 16;
const answerMs = 20_000;
const kinds = ['path', 'query', 'header', 'body', 'type', 'framing', 'cut'] as const;
type Kind = (typeof kinds)[number];

const campaign: Campaign = {
  name: 'http-fuzz',
  summary:
    'Requests of any bytes by people without rights: no 5xx, no crash, nothing changed, no secret told (I11)',
  defaultRounds: 10_000,
  testRounds: 1_000,

  async run({ rounds, seed, log }) {
    const random = new SeededRandom(seed);
    const violations: string[] = [];
    const faultsFired: Record<Kind, number> = {
      path: 0,
      query: 0,
      header: 0,
      body: 0,
      type: 0,
      framing: 0,
      cut: 0,
    };
    const site = await openSite();
    try {
      for (const id of agents) await site.agent(id);
      for (let round = 0; round < rounds; round += atOnce) {
        const batch = Array.from({ length: Math.min(atOnce, rounds - round) }, () => madeUp(random));
        const answers = await Promise.all(batch.map(({ bytes }) => answerTo(site, bytes)));
        answers.forEach((answer, at) => {
          const { kind, bytes } = batch[at] as MadeUp;
          faultsFired[kind] += 1;
          const fault = faultIn(answer);
          if (fault !== undefined)
            violations.push(
              `seed ${seed}, ${kind}: ${fault} to ${JSON.stringify(bytes.toString('latin1').slice(0, 400))}`,
            );
        });
        const changed = await changeIn(site);
        if (changed !== undefined) violations.push(`seed ${seed}, rounds ${round} and on: ${changed}`);
        if (violations.length > 20) break;
        if (round % (atOnce * 100) === 0) log(`round ${round}: ${violations.length} violations`);
      }
    } finally {
      await site.close();
    }
    return { violations, faultsFired };
  },
};
export default campaign;

interface MadeUp {
  readonly kind: Kind;
  readonly bytes: Buffer;
}

const paths = routes.map(({ method, path }) => ({ method, path }));
const ids = [
  'task-a1',
  'a1',
  'w',
  'local',
  'no-such',
  '__proto__',
  '%00',
  '%2e%2e',
  '..',
  'a%2Fb',
  '%E2%82',
  '💥',
  'x'.repeat(10_000),
];
const types = [
  'application/json',
  'application/json; charset=utf-16',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  '',
  '*/*',
  'application/json\tx',
];
const bodies = [
  '{"reason":"x"}',
  '{"reason":1}',
  '{"reason":"x","hold":"yes"}',
  '{"__proto__":{"reason":"x"}}',
  '{"reason":"x","principal":{"id":"root"}}',
  '[]',
  'null',
  '"x"',
  '1e999',
  '{',
  '\u0000',
  '{"reason":"\\u0000"}',
  '{"reason":"\\ud800"}',
  `{"reason":"${'x'.repeat(3_000)}"}`,
  `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  'x'.repeat(20_000),
  '{"reason":"x","reason":"y"}',
  '',
];
const queries = [
  '',
  '?preview=true',
  '?preview=1',
  '?reason=x',
  '?reason=x&reason=y',
  '?reason[]=x',
  '?limit=-1',
  '?cursor=%00',
  '?a=%',
  '?workspaceId=w',
  '?status=killed',
  `?x=${'y'.repeat(9_000)}`,
];
const headers = [
  'Idempotency-Key: k',
  'Last-Event-ID: 9.9.9',
  'X-HTTP-Method-Override: DELETE',
  'X-Forwarded-For: 1.2.3.4',
  'Cookie: who=root2',
  'Expect: 100-continue',
  'Content-Encoding: gzip',
  'Accept: text/html',
  'Origin: null',
  `X-Long: ${'z'.repeat(9_000)}`,
  'Bad Header: x',
  'X-Bad: \u0001',
  'Content-Length: 3',
];

/** A request of a member who owns nothing, or of nobody: whatever it asks for, nothing may come of it. */
function madeUp(random: SeededRandom): MadeUp {
  const kind = random.pick(kinds);
  const { method, path } = random.pick(paths);
  const given =
    kind === 'path' ? noise(random, 30).toString('latin1') : path.replace(/:\w+/, random.pick(ids));
  const verb = random.chance(0.1)
    ? random.pick(['PUT', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'GET', 'POST', 'DELETE'])
    : method;
  const query = kind === 'query' ? random.pick(queries) : '';
  const body = kind === 'body' ? bodyOf(random) : Buffer.from('{"reason":"x"}');
  const type = kind === 'type' ? random.pick(types) : 'application/json';
  const who = random.pick(['bob', 'nobody', 'stranger', '']);
  const lines = [
    `${verb} /kill${given}${query} HTTP/1.1`,
    'Host: h',
    'Connection: close',
    `Authorization: Bearer ${who}`,
  ];
  if (type !== '') lines.push(`Content-Type: ${type}`);
  if (kind === 'header')
    lines.push(random.pick(headers), random.chance(0.3) ? noise(random, 40).toString('latin1') : 'X-A: b');
  const framing = kind === 'framing' ? random.pick(['chunked', 'short', 'both', 'none', 'bad']) : 'right';
  if (framing === 'chunked' || framing === 'both') lines.push('Transfer-Encoding: chunked');
  if (framing === 'bad') lines.push('Content-Length: -1');
  if (['right', 'short', 'both'].includes(framing))
    lines.push(`Content-Length: ${framing === 'short' ? 3 : body.length}`);
  const bytes = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
  return { kind, bytes: kind === 'cut' ? bytes.subarray(0, random.integer(1, bytes.length)) : bytes };
}

function bodyOf(random: SeededRandom): Buffer {
  return random.chance(0.7) ? Buffer.from(random.pick(bodies)) : noise(random, 200);
}

function noise(random: SeededRandom, most: number): Buffer {
  return Buffer.from(Array.from({ length: random.integer(1, most) }, () => random.integer(0, 256)));
}

/** No answer at all is one that is found fault with. */
function answerTo(site: Site, bytes: Buffer): Promise<string> {
  return sendRaw(site.url, bytes, { answerMs }).catch((error: Error) => error.message);
}

/** A connection that is closed without a word is an answer to what is no HTTP. */
function faultIn(answer: string): string | undefined {
  if (answer === '') return undefined;
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);
  if (status === 0) return answer.slice(0, 200);
  if (status >= 500) return `${status}: ${answer.slice(-300)}`;
  if (/\bat .*\.(ts|js):\d+|node_modules|\/src\//.test(answer)) return `a stack trace: ${answer.slice(-300)}`;
  return undefined;
}

async function changeIn(site: Site): Promise<string | undefined> {
  const { items } = await site.ks.list({ everything: true }, { limit: 100 });
  const running = items.filter(({ status }) => status === 'running').map(({ agentId }) => agentId);
  if (running.sort().join() !== agents.join()) return `only ${running.join()} still run`;
  const { gates, openOrders } = await site.ks.status();
  return gates.length + openOrders.length > 0 ? `gates: ${JSON.stringify(gates)}` : undefined;
}
