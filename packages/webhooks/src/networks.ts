import { BlockList, isIP } from 'node:net';

/** What is no public address of IPv4 (IANA special-purpose registry), and one where a cloud keeps its metadata. */
const special4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4', '168.63.129.16/32'],
];
/** Of IPv6 only this is public, */
const global6 = ['2000::/3'];
/** but for protocols' own addresses, documentation, and 6to4, which leads to any address of IPv4. */
const special6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];
/** Both lead to the address of IPv4 in their last four bytes. */
const embedding = ['::ffff:0.0.0.0/96', '64:ff9b::/96'];

/** Some networks, given as addresses or in CIDR notation: each of them {@link isNetwork}. */
export class Networks {
  readonly #list = new BlockList();
  /** Whether it is none at all. */
  readonly isEmpty: boolean;

  constructor(entries: readonly string[]) {
    this.isEmpty = entries.length === 0;
    for (const entry of entries) {
      const [address = '', bits] = entry.split('/');
      const isV6 = isIP(address) === 6;
      this.#list.addSubnet(address, Number(bits ?? (isV6 ? 128 : 32)), isV6 ? 'ipv6' : 'ipv4');
    }
  }

  /** `false` for what is no address. */
  has(address: string): boolean {
    const family = address.includes('%') ? 0 : isIP(address);
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/** Whether an entry is an address, or a network in CIDR notation. */
export function isNetwork(entry: string): boolean {
  const [address = '', bits, ...rest] = entry.split('/');
  const family = address.includes('%') ? 0 : isIP(address);
  const most = family === 6 ? 128 : 32;
  const isLength = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  return family !== 0 && isLength && rest.length === 0;
}

const special = new Networks([...special4, ...special6]);
const global = new Networks(global6);
const embedded = new Networks(embedding);

/** Whether the address is one of the public internet: not private, loopback, link-local, reserved, nor a cloud's metadata. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.has(address);
  if (family === 6 && embedded.has(address)) return isPublic(lastFour(address));
  return family === 6 && global.has(address) && !special.has(address);
}

/** The address of IPv4 in the last four bytes of one of IPv6. */
function lastFour(address: string): string {
  const dotted = /[\d.]+\.\d+$/.exec(address)?.[0];
  if (dotted !== undefined && isIP(dotted) === 4) return dotted;
  // The URL parser writes every address in one way, without dots.
  const groups = new URL(`http://[${address}]/`).hostname.slice(1, -1).split(':').slice(-2);
  const [high = 0, low = 0] = groups.map((group) => Number.parseInt(group || '0', 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
