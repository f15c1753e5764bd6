import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../../../shared/config/loopback.ts';

/** The name in a Host header, without the port; undefined when there is none. */
function hostName(host: string | undefined): string | undefined {
  return host === undefined ? undefined : /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host)?.[1];
}

/**
 * Who may call, where nobody signs in. On a loopback address only its own names are answered: a
 * foreign page whose name was made to point here (DNS rebinding) has another one. Anywhere, a page
 * of another origin is refused what changes something.
 */
export function hostGuard(options: {
  readonly host: string;
  readonly hostNames: readonly string[];
}): (method: string | undefined, headers: IncomingHttpHeaders) => string | undefined {
  const names = new Set(options.hostNames.map((name) => name.toLowerCase()));
  const bound = isLoopback(options.host);
  const seen = new Set<string>();
  const allowed = (host: string | undefined): boolean => {
    if (!bound || host === undefined || seen.has(host)) return true;
    const name = hostName(host)?.toLowerCase();
    if (name === undefined) return false;
    const fine = isLoopback(name) || names.has(name);
    // Names are few; ports make them many only for somebody who plays with them.
    if (fine && seen.size < 100) seen.add(host);
    return fine;
  };
  return (method, headers) => {
    if (!allowed(headers.host)) {
      return `Tollgate does not answer for this host name; name it in api.hostNames if it should`;
    }
    const { origin } = headers;
    if (origin === undefined || method === 'GET' || method === 'HEAD') return undefined;
    const same = URL.canParse(origin) && new URL(origin).host === headers.host;
    return same ? undefined : 'a page of another site may not change anything here';
  };
}
