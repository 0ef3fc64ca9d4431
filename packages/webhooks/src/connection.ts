import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { AddressRefusedError } from './errors.ts';
import type { Networks } from './networks.ts';
import { faultOfAddress, hostOf } from './target.ts';

/** Finds the addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** As the machine does it, its hosts file included. */
export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true });

/**
 * How one URL is connected to: every address that its name has is looked at, and what is connected to is one of those, never
 * a name that is looked up again (DNS rebinding).
 */
export function lookupFor(url: URL, networks: Networks, resolve: Resolve): LookupFunction {
  const checked = async (hostname: string): Promise<LookupAddress[]> => {
    const addresses = [...(await resolve(hostname))];
    if (addresses.length === 0) throw new AddressRefusedError(`${hostname} has no address`);
    for (const { address } of addresses) {
      const fault = faultOfAddress(address, url, networks);
      if (fault !== undefined) throw new AddressRefusedError(`${hostname}: ${fault}`);
    }
    return addresses.map(({ address }) => ({ address, family: isIP(address) }));
  };
  return (hostname, options, callback) => {
    checked(hostname).then(
      (addresses) => {
        const [first] = addresses as [LookupAddress, ...LookupAddress[]];
        if (options.all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
}

/** @throws AddressRefusedError for a URL whose host is an address, which nobody looks up. */
export function refuseAddress(url: URL, networks: Networks): void {
  const host = hostOf(url);
  const fault = isIP(host) === 0 ? undefined : faultOfAddress(host, url, networks);
  if (fault !== undefined) throw new AddressRefusedError(`${host}: ${fault}`);
}

/** Connections of one endpoint, few, kept open for the next message. */
export interface Connections {
  agentFor(url: URL): HttpAgent;
  /** Cuts them all. */
  cut(): void;
}

export function connections(mostSockets: number): Connections {
  const options = { keepAlive: true, maxSockets: mostSockets, maxFreeSockets: 1 };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  return {
    agentFor: ({ protocol }) => (protocol === 'https:' ? agents.https : agents.http),
    cut() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}
