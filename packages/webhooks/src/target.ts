import { isIP } from 'node:net';
import { isPublic, type Networks } from './networks.ts';

const longestUrl = 2_048;
const unencrypted = 'must begin with https://, since it is in no network that was named';

/**
 * What is wrong with a URL to send to, without showing it: its path may be a secret. `undefined` if nothing is. Sent to is
 * the public internet, by HTTPS, and whatever lies in `networks`.
 */
export function faultOfUrl(text: string, networks: Networks): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return 'must be a URL that begins with https://';
  if (url.protocol === 'http:' && networks.isEmpty) return unencrypted;
  if (text.length > longestUrl) return `must have at most ${longestUrl} characters`;
  if (url.username !== '' || url.password !== '') return 'must hold no credentials: what is sent is signed';
  if (url.hash !== '') return 'must have no fragment';
  const host = hostOf(url);
  return isIP(host) === 0 ? undefined : faultOfAddress(host, url, networks);
}

/** What is wrong with connecting to this address for that URL. */
export function faultOfAddress(address: string, url: URL, networks: Networks): string | undefined {
  if (networks.has(address)) return undefined;
  if (!isPublic(address)) return `its address ${address} is not public: name its network to allow it`;
  if (url.protocol !== 'https:') return unencrypted;
  return undefined;
}

/** The host, without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
