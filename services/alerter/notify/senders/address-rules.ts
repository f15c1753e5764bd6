import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/**
 * What isn't on the public internet, by the special-purpose registries of IANA (RFC 6890 and its
 * updates): this network, private, shared, loopback, link-local, protocol assignments,
 * documentation, relay, benchmarks, multicast, reserved.
 */
const SPECIAL_V4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
];

/** Within 2000::/3, beside which IPv6 has no public address: Teredo, ORCHID, documentation, 6to4. */
const SPECIAL_V6 = [...['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']];

const PUBLIC_V6 = ['2000::/3'];

/** Adds `network/bits`; undefined when it is no CIDR. */
function addCidr(list: BlockList, cidr: string): true | undefined {
  const [network = '', bits = '', ...rest] = cidr.split('/');
  const family = isIP(network);
  const isLength = /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
  if (family === 0 || !isLength || rest.length > 0 || network.includes('%')) return undefined;
  list.addSubnet(network, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return true;
}

function listOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) addCidr(list, cidr);
  return list;
}

export function isCidr(text: string): boolean {
  return addCidr(new BlockList(), text) === true;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const parts = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [parts(head), parts(tail ?? '')];
  const gap = tail === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...Array<number>(gap).fill(0), ...last];
}

/** An IPv4 address inside an IPv6 one is dialled as itself: IPv4-mapped and NAT64 (RFC 6052). */
function embeddedV4(address: string): string | undefined {
  const groups = groupsOf(address);
  const prefix = groups.slice(0, 6).join(',');
  if (prefix !== '0,0,0,0,0,65535' && prefix !== '100,65435,0,0,0,0') return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** Which addresses may be dialled: public ones, and those that were allowed by name. */
export class AddressRules {
  readonly #special = listOf([...SPECIAL_V4, ...SPECIAL_V6]);
  readonly #publicV6 = listOf(PUBLIC_V6);
  readonly #allowed: BlockList;

  /** @param allow CIDRs that may be dialled though they aren't public */
  constructor(allow: readonly string[]) {
    this.#allowed = listOf(allow);
  }

  /** @param address as a resolver gives it; anything that isn't an address is not allowed */
  allows(address: string): boolean {
    const bare = address.replace(/%.*$/, '');
    if (isIPv4(bare)) {
      return this.#allowed.check(bare, 'ipv4') || !this.#special.check(bare, 'ipv4');
    }
    if (!isIPv6(bare)) return false;
    const v4 = embeddedV4(bare);
    if (v4 !== undefined) return this.allows(v4);
    if (this.#allowed.check(bare, 'ipv6')) return true;
    return this.#publicV6.check(bare, 'ipv6') && !this.#special.check(bare, 'ipv6');
  }
}
