import type { IncomingHttpHeaders } from 'node:http';

/** What a request brings to say who it is from. */
export interface Credential {
  readonly from: 'header' | 'cookie';
  readonly text: string;
}

const BEARER = /^bearer +(\S+) *$/i;
/** Longer than any token; what is longer isn't read. */
const TEXT_MAX = 200;

/**
 * The cookie of the page. With TLS the prefix makes browsers refuse one that was set without it, or
 * by another host of the domain. Source: RFC 6265bis, section 4.1.3.2.
 */
export function cookieName(isSecure: boolean): string {
  return isSecure ? '__Host-tollgate' : 'tollgate';
}

/** The header's wins: who sends it doesn't mean the cookie. */
export function credentialOf(headers: IncomingHttpHeaders, cookie: string): Credential | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const text = BEARER.exec(authorization.slice(0, TEXT_MAX))?.[1] ?? '';
    return { from: 'header', text };
  }
  for (const pair of headers.cookie?.split(';') ?? []) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === cookie) {
      return { from: 'cookie', text: pair.slice(at + 1, at + TEXT_MAX).trim() };
    }
  }
  return undefined;
}
