import type { ApplicationView } from '../../shared/stores/ledger-writer.ts';
import { formatInstant } from '../../shared/values/instant.ts';
import type { ClusterInfo } from './api-deps.ts';

type Application = Pick<
  ApplicationView,
  'application' | 'cluster' | 'attempts' | 'user' | 'start' | 'end' | 'state' | 'url'
>;

/** The address when it is http or https; anything else is no link. */
function webAddress(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol } = new URL(text);
  return protocol === 'http:' || protocol === 'https:' ? text : null;
}

function fill(template: string | undefined, application: Application): string | null {
  if (template === undefined) return null;
  const values: Readonly<Record<string, string>> = {
    application: application.application,
    attempt: application.attempts.at(-1) ?? '',
    cluster: application.cluster,
    user: application.user,
    from: formatInstant(application.start),
    until: application.end === undefined ? 'now' : formatInstant(application.end),
    container: '',
  };
  const address = template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? encodeURIComponent(values[name] ?? '') : whole,
  );
  return webAddress(address);
}

/**
 * Where a person goes from an application: its UI while it runs, the History Server after, the
 * manager's page, its logs in its own time. Names from tenants are encoded and only http(s) leaves.
 */
export function applicationLinks(
  application: Application,
  cluster: ClusterInfo | undefined,
): { sparkUi: string | null; manager: string | null; logs: string | null } {
  const links = cluster?.links ?? {};
  const running = application.state === 'running';
  const own = running ? webAddress(application.url) : null;
  return {
    sparkUi: fill(running ? links.sparkUi : links.historyServer, application) ?? own,
    manager: fill(links.manager, application),
    logs: fill(links.logs, application),
  };
}
