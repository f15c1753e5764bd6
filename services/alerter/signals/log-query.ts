import type { AlertTarget } from '../../../shared/contracts/alert.ts';
import type { LogQuery, StoredLog } from '../../../shared/stores/log-store.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { SignalOf } from '../rules/signal-config.ts';

/** What a signal asks of the lines of one project. */
export function logQuery(
  { text, level, fingerprint, application }: SignalOf<'log'>,
  window: { readonly from: Instant; readonly until: Instant },
): Omit<LogQuery, 'limit'> {
  return {
    ...window,
    ...(text === undefined ? {} : { text }),
    ...(level === undefined ? {} : { minLevel: level }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(application === undefined ? {} : { application }),
  };
}

/** What lines are part of: an application, or the project as a whole. */
export function logTarget(
  project: ProjectId,
  { cluster, application }: Pick<StoredLog, 'cluster' | 'application'>,
): AlertTarget {
  return application === ''
    ? { kind: 'project', cluster: '', id: project, startedAt: undefined }
    : { kind: 'application', cluster, id: application, startedAt: undefined };
}
