import type { ClusterReader, SeenApplication } from '../../../shared/clusters/cluster-reader.ts';
import type { WorkloadKind } from '../../../shared/contracts/action.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { ApplicationWatch } from '../../../shared/stores/application-watch.ts';
import { applicationKey } from '../../../shared/stores/journal.ts';
import type { MetricReader } from '../../../shared/stores/metric-store.ts';
import { DAY_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { applicationKind } from '../signals/application-kind.ts';
import type { LiveLook, LiveReader } from './enforcer-deps.ts';

/** More running applications than that are not looked at: nothing is done then. */
const APPLICATIONS_MAX = 50_000;

export interface LiveClustersDeps {
  readonly readers: ReadonlyMap<string, ClusterReader>;
  readonly applications: Pick<ApplicationWatch, 'runningAt'>;
  readonly metrics: Pick<MetricReader, 'latest'>;
  readonly clock: Clock;
}

interface Known {
  readonly projects: ReadonlyMap<string, ProjectId>;
  /** Applications with streaming progress. */
  readonly streams: ReadonlySet<string>;
}

/**
 * What an application is. One that says nothing, has no known name and no streaming progress may
 * still be a stream whose progress nobody collects: it is unknown, and spared as a stream is.
 */
function kindOf(app: SeenApplication, isStream: boolean): WorkloadKind {
  const kind = applicationKind(app, isStream);
  return kind === 'batch' && app.tags['tollgate.kind'] !== 'batch' ? 'unknown' : kind;
}

/** Asks every manager who runs what; projects and streams are what the stores know. */
export class LiveClusters implements LiveReader {
  readonly #deps: LiveClustersDeps;

  constructor(deps: LiveClustersDeps) {
    this.#deps = deps;
  }

  async look(signal: AbortSignal): Promise<LiveLook[]> {
    const known = await this.#known();
    return await Promise.all(
      [...this.#deps.readers].map(([cluster, reader]) => this.#one(cluster, reader, known, signal)),
    );
  }

  async #known(): Promise<Known> {
    const { applications, metrics, clock } = this.#deps;
    const now = clock.now();
    const running = await applications.runningAt(now, APPLICATIONS_MAX);
    const projects = new Map(running.map((one) => [applicationKey(one), one.project]));
    const streams = new Set<string>();
    for (const project of new Set(projects.values())) {
      for (const { tags } of await metrics.latest(project, 'streaming_query', now - DAY_MS)) {
        const { cluster = '', application = '' } = tags;
        streams.add(applicationKey({ cluster, application }));
      }
    }
    return { projects, streams };
  }

  async #one(
    cluster: string,
    reader: ClusterReader,
    { projects, streams }: Known,
    signal: AbortSignal,
  ): Promise<LiveLook> {
    const { at, applications, listed, problems } = await reader.snapshot(new Map(), signal);
    const live = applications.filter(({ state }) => state !== 'ended');
    return {
      cluster,
      at,
      complete: listed,
      why: listed ? '' : problems.map(({ reason, detail }) => `${reason}: ${detail}`).join('; '),
      applications: live.map((app) => {
        const key = applicationKey({ cluster, application: app.application });
        return {
          id: app.application,
          startedAt: app.startedAt,
          project: projects.get(key),
          workload: app.name,
          ...{ user: app.user, queue: app.queue, tags: app.tags },
          kind: kindOf(app, streams.has(key)),
        };
      }),
    };
  }
}
