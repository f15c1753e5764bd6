import type { ApplicationView } from '../../shared/stores/ledger-writer.ts';
import { formatInstant, type Instant, MINUTE_MS } from '../../shared/values/instant.ts';
import type { ClusterInfo } from './api-deps.ts';

type Application = Pick<
  ApplicationView,
  'application' | 'project' | 'cluster' | 'attempts' | 'user' | 'start' | 'end' | 'state' | 'url'
>;

const WEB: ReadonlySet<string> = new Set(['http:', 'https:']);

/** The address when it is http or https; anything else is no link. */
function webAddress(text: string): string | null {
  const url = URL.parse(text);
  return url !== null && WEB.has(url.protocol) ? url.href : null;
}

function fill(template: string | undefined, application: Application, now: Instant): string | null {
  if (template === undefined) return null;
  const until = application.end ?? now;
  const values: Readonly<Record<string, string>> = {
    application: application.application,
    attempt: application.attempts.at(-1) ?? '',
    cluster: application.cluster,
    user: application.user,
    project: application.project,
    from: formatInstant(Math.max(application.start, until - MINUTE_MS)),
    until: formatInstant(until),
    container: 'driver',
  };
  const address = template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? encodeURIComponent((values[name] ?? '').toWellFormed()) : whole,
  );
  return webAddress(address);
}

/** Where a cluster's manager shows itself: its pages without the path of a single application's. */
export function managerHome({ links }: Pick<ClusterInfo, 'links'>): string | null {
  const address = webAddress(links.manager ?? '');
  if (address === null || !links.manager?.includes('{')) return address;
  return new URL('/', address).href;
}

/**
 * Where a person goes from an application: its UI while it runs, the History Server after, the
 * manager's page, its logs in the minute up to its end or to now. Names from tenants are encoded and only http(s) leaves.
 */
export function applicationLinks(
  application: Application,
  cluster: ClusterInfo | undefined,
  now: Instant,
): { sparkUi: string | null; manager: string | null; logs: string | null } {
  const links = cluster?.links ?? {};
  const running = application.state === 'running';
  // An ended application's own page is gone, but YARN's proxy sends on to the History Server.
  const own = running || cluster?.type === 'yarn' ? webAddress(application.url) : null;
  return {
    sparkUi: fill(running ? links.sparkUi : links.historyServer, application, now) ?? own,
    manager: fill(links.manager, application, now),
    logs: fill(links.logs, application, now),
  };
}
