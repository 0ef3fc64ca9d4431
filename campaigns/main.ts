import { type CampaignArguments, parseArguments } from './arguments.ts';
import { type Campaign, type CampaignLine, unfired } from './campaign.ts';
import { loadCampaigns } from './load-campaigns.ts';

const campaigns = await loadCampaigns();
const args = parse();
if (args?.list === true) {
  for (const { name, summary } of campaigns) process.stdout.write(`${name}\t${summary}\n`);
} else if (args !== undefined) {
  const campaign = campaigns.find(({ name }) => name === args.name);
  if (campaign !== undefined) await run(campaign, args.rounds ?? campaign.defaultRounds, args.seed);
}

/** `undefined` if the arguments make no sense; stderr then says so, and the exit code is 2. */
function parse(): CampaignArguments | undefined {
  try {
    const names = campaigns.map(({ name }) => name);
    return parseArguments(process.argv.slice(2), names);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

async function run(campaign: Campaign, rounds: number, seed: number): Promise<void> {
  const log = (line: string): boolean => process.stderr.write(`${line}\n`);
  log(`${campaign.name}: ${rounds} rounds, seed ${seed}`);
  const since = performance.now();
  const result = await campaign.run({ rounds, seed, log });
  const line: CampaignLine = {
    campaign: campaign.name,
    rounds,
    violations: result.violations.length,
    faultsFired: result.faultsFired,
    seed,
    seconds: Math.round(performance.now() - since) / 1_000,
  };
  for (const violation of result.violations) log(`VIOLATION ${violation}`);
  const never = unfired(result);
  if (never.length > 0) log(`Never inflicted in these rounds: ${never.join(', ')}`);
  process.stdout.write(`${JSON.stringify(line)}\n`);
  const inflicted = Object.values(result.faultsFired).some((times) => times > 0);
  if (line.violations > 0 || !inflicted) process.exitCode = 1;
}
