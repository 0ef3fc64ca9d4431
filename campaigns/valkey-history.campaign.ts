import { Redis } from 'ioredis';
import { brokenScripts, replaceScript } from '../packages/adapter-redis/test/support/broken-scripts.ts';
import { specification, start } from '../packages/adapter-redis/test/support/claim-and-gate.ts';
import { isLinearizable } from '../packages/adapter-redis/test/support/linearizable.ts';
import { serviceNamed } from '../scripts/services/table.ts';
import { withServices } from '../scripts/services/with-services.ts';
import type { Campaign, CampaignOptions, CampaignResult } from './campaign.ts';
import { SeededRandom } from './seeded-random.ts';
import { Faults } from './valkey-history/faults.ts';
import { OwnServer } from './valkey-history/own-server.ts';
import { clientsOf, type History, recordHistory } from './valkey-history/recording.ts';

const clientCount = 5;
/** A script with a mistake has so many histories to be found out in. */
const mostTries = 300;

/** The seed decides who asks what and which fault strikes; what is on its way then is up to the machine. */
const campaign: Campaign = {
  name: 'valkey-history',
  summary:
    'Histories of claims and gates of clients that race through stops, cuts and timeouts can be put in a row; those of broken scripts cannot (I1, I2)',
  defaultRounds: 1_000,
  testRounds: 40,

  run(options) {
    return withServices([serviceNamed('valkey')], async ({ missing }) => {
      for (const { why } of missing) throw new Error(`No Valkey: ${why}`);
      const server = await OwnServer.start();
      try {
        return await recordAll(server, options);
      } finally {
        await server.end();
      }
    });
  },
};
export default campaign;

async function recordAll(server: OwnServer, { rounds, seed, log }: CampaignOptions): Promise<CampaignResult> {
  const random = new SeededRandom(seed);
  const admin = new Redis(server.url);
  const clients = clientsOf(server.url, clientCount);
  const faults = new Faults(server, admin, random);
  const violations: string[] = [];
  let unanswered = 0;
  let foundOut = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      const history = await recordHistory(clients, random, faults);
      unanswered += history.filter(({ answer }) => answer === undefined).length;
      if (!isLinearizable(history, start, specification))
        violations.push(`history ${round} is in no row: ${linesOf(history).join('; ')}`);
      if ((round + 1) % 100 === 0) log(`history ${round + 1}: ${violations.length} violations`);
    }
    for (const [what, script, source] of brokenScripts) {
      const spoiled = clientsOf(server.url, clientCount);
      for (const client of spoiled) replaceScript(client, script, source);
      const tries = await triesUntilTorn(spoiled, random).finally(() => disconnect(spoiled));
      if (tries === undefined) violations.push(`a script that ${what} is not found out`);
      else foundOut += 1;
      log(`a script that ${what}: found out in history ${tries}`);
    }
  } finally {
    disconnect([admin, ...clients]);
  }
  const counted = { 'calls without an answer': unanswered, 'broken scripts found out': foundOut };
  return { violations, faultsFired: { ...faults.fired, ...counted } };
}

/** How many histories it takes until one cannot be put in a row. */
async function triesUntilTorn(clients: readonly Redis[], random: SeededRandom): Promise<number | undefined> {
  for (let tries = 1; tries <= mostTries; tries += 1) {
    const history = await recordHistory(clients, random, undefined);
    if (!isLinearizable(history, start, specification)) return tries;
  }
  return undefined;
}

function disconnect(clients: readonly Redis[]): void {
  for (const client of clients) client.disconnect();
}

/** A history as people read it. */
function linesOf(history: History): string[] {
  const sorted = history.toSorted((a, b) => a.begun - b.begun);
  const since = sorted[0]?.begun ?? 0;
  const at = (time: number) => (time - since).toFixed(2);
  return sorted.map(({ call, answer, begun, ended }) =>
    [at(begun), at(ended), JSON.stringify(call), JSON.stringify(answer)].join(' '),
  );
}
