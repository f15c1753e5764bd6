import { queryStateCode } from '../../../shared/contracts/progress-record.ts';
import { applicationKey } from '../../../shared/stores/journal.ts';
import type { ApplicationCost } from '../../../shared/stores/ledger-reader.ts';
import { DAY_MS, type Instant } from '../../../shared/values/instant.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import type { ApplicationKind } from '../rules/signals/application-signal.ts';
import { applicationKind } from './application-kind.ts';
import { matchesNames } from './matches-names.ts';
import type { SignalDeps } from './signal-deps.ts';
import { SignalFailure } from './signal-failure.ts';

type Config = SignalOf<'application'>;

/** More would fill the memory; a platform has a few thousand. */
const APPLICATIONS_MAX = 20_000;
const SERIES_MAX = 20_000;

/** An application that a rule is about. */
export interface Watched {
  readonly app: ApplicationCost;
  readonly key: string;
  readonly kind: ApplicationKind;
  /** One of its streaming queries runs. */
  readonly streaming: boolean;
}

/** @throws SignalFailure instead of a part of them */
function whole(found: readonly ApplicationCost[]): readonly ApplicationCost[] {
  if (found.length <= APPLICATIONS_MAX) return found;
  throw new SignalFailure(`more than ${APPLICATIONS_MAX} applications; shorten "window"`);
}

function isWanted(config: Config, app: ApplicationCost): boolean {
  return (
    (config.projects === undefined || config.projects.includes(app.project)) &&
    (config.clusters === undefined || config.clusters.includes(app.cluster)) &&
    matchesNames(config.names, app.name) &&
    Object.entries(config.tags ?? {}).every(([key, value]) => app.tags[key] === value)
  );
}

/** Applications with streaming progress of the last day, and whether a query of theirs still runs. */
async function streams(
  { metrics }: Pick<SignalDeps, 'metrics'>,
  applications: readonly ApplicationCost[],
  at: Instant,
): Promise<ReadonlyMap<string, boolean>> {
  const found = new Map<string, boolean>();
  for (const project of new Set(applications.map((app) => app.project))) {
    const series = await metrics.query(project, {
      ...{ measurement: 'streaming_query', field: 'state', from: at - DAY_MS, until: at + 1 },
      ...{ stepMs: 0, aggregate: 'last' as const, limit: SERIES_MAX },
    });
    for (const { tags, points } of series) {
      const { cluster = '', application = '' } = tags;
      const key = applicationKey({ cluster, application });
      const runs = points.at(-1)?.[1] === queryStateCode('running');
      found.set(key, runs || found.get(key) === true);
    }
  }
  return found;
}

async function watched(
  config: Config,
  deps: Pick<SignalDeps, 'metrics'>,
  found: readonly ApplicationCost[],
  at: Instant,
): Promise<Watched[]> {
  const wanted = found.filter((app) => isWanted(config, app));
  const streaming = await streams(deps, wanted, at);
  return wanted.flatMap((app) => {
    const key = applicationKey(app);
    const kind = applicationKind(app, streaming.has(key));
    if (config.kinds !== undefined && !config.kinds.includes(kind)) return [];
    return [{ app, key, kind, streaming: streaming.get(key) === true }];
  });
}

/** Those that ran at `at`. */
export async function runningApplications(
  config: Config,
  deps: Pick<SignalDeps, 'metrics' | 'applications'>,
  at: Instant,
): Promise<Watched[]> {
  const found = whole(await deps.applications.runningAt(at, APPLICATIONS_MAX + 1));
  return await watched(config, deps, found, at);
}

/** Those that were told to have ended within the window before `at`. */
export async function endedApplications(
  config: Config & { readonly window: number },
  deps: Pick<SignalDeps, 'metrics' | 'applications'>,
  at: Instant,
): Promise<Watched[]> {
  const window = { from: at - config.window, until: at + 1 };
  const found = whole(await deps.applications.ended(window, APPLICATIONS_MAX + 1));
  return await watched(config, deps, found, at);
}
