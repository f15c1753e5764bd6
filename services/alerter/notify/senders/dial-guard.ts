import type { LookupAddress } from 'node:dns';
import { lookup as lookupAddresses } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { AddressRules } from './address-rules.ts';

/** All addresses of a name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

const resolveBySystem: Resolve = (host) => lookupAddresses(host, { all: true });

class RefusedDial extends Error {
  override readonly name = 'RefusedDial';
}

/** The host as a socket is given it: an IPv6 literal without its brackets. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

const ADVICE = 'allow its network in alerter.notify.dial.allow if it is meant';

/**
 * Keeps requests away from private networks, whatever a URL says: names are resolved here, each
 * address is judged, and the socket gets the judged address, so that a name that changes its address
 * between check and dial gains nothing. URLs write `2130706433` and `0177.0.0.1` as 127.0.0.1
 * before they come here (WHATWG URL).
 */
export class DialGuard {
  readonly #rules: AddressRules;
  readonly #resolve: Resolve;

  /** @param allow CIDRs that may be dialled though they aren't public */
  constructor(allow: readonly string[], resolve: Resolve = resolveBySystem) {
    this.#rules = new AddressRules(allow);
    this.#resolve = resolve;
  }

  /** Why a URL can't be dialled as it is written; undefined when only its name will tell. */
  literalProblem(url: URL): string | undefined {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'is no http or https address';
    if (url.username !== '' || url.password !== '') return 'holds a user or password; give headers';
    const host = hostOf(url);
    if (isIP(host) === 0 || this.#rules.allows(host)) return undefined;
    return `leads to ${host}, which is no public address; ${ADVICE}`;
  }

  /** Why a URL can't be dialled now, its name resolved; for when a receiver is saved or tried. */
  async problem(url: URL): Promise<string | undefined> {
    const literal = this.literalProblem(url);
    if (literal !== undefined || isIP(hostOf(url)) !== 0) return literal;
    try {
      await this.#judged(hostOf(url));
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  async #judged(host: string): Promise<LookupAddress[]> {
    const addresses = await this.#resolve(host);
    const allowed = addresses.filter(({ address }) => this.#rules.allows(address));
    if (allowed.length > 0) return allowed;
    const found = addresses.map(({ address }) => address).join(', ') || 'nothing';
    throw new RefusedDial(`${host} leads to ${found}, which is no public address; ${ADVICE}`);
  }

  /** For a socket's `lookup`; an address that is written out isn't looked up, see literalProblem. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    const wanted = options.family === 6 || options.family === 'IPv6' ? 6 : options.family;
    this.#judged(host).then(
      (judged) => {
        const fit = judged.filter(({ family }) => !wanted || wanted === family);
        const [first] = fit.length > 0 ? fit : judged;
        if (options.all) callback(null, fit.length > 0 ? fit : judged);
        else callback(null, first?.address ?? '', first?.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}
