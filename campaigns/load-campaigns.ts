import { pathToFileURL } from 'node:url';
import { namedFiles } from '../scripts/lib/named-files.ts';
import type { Campaign } from './campaign.ts';

/** Every campaign there is. @throws Error if one does not bear the name of its file. */
export async function loadCampaigns(): Promise<Campaign[]> {
  const campaigns: Campaign[] = [];
  for (const [name, file] of namedFiles(import.meta.dirname, '.campaign.ts')) {
    const { default: campaign } = (await import(pathToFileURL(file).href)) as { default: Campaign };
    if (campaign?.name !== name) throw new Error(`${file} has to export default a campaign named "${name}"`);
    campaigns.push(campaign);
  }
  return campaigns;
}
