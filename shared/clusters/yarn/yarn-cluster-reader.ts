import type { Clock } from '../../runtime/clock.ts';
import { NO_RESOURCES } from '../../values/resources.ts';
import { addResources } from '../add-resources.ts';
import type { ClusterReader, ClusterSnapshot, OpenApplications } from '../cluster-reader.ts';
import { type FetchJson, problemReason, problemStatus } from '../fetch-json.ts';
import { field, objectAt } from '../lenient-json.ts';
import { mapBounded } from '../map-bounded.ts';
import { SnapshotBuilder } from '../snapshot-builder.ts';
import {
  decodeApplication,
  decodeApplications,
  decodeAttempts,
  type YarnApplication,
} from './decode-applications.ts';
import { decodeLoad, decodeNodes } from './decode-cluster.ts';
import { decodeContainers } from './decode-containers.ts';
import { attemptId, isYarnApplicationId, parseContainerId } from './yarn-ids.ts';

export interface YarnReaderOptions {
  /** Web addresses of the ResourceManagers; the active one is found among them. */
  readonly urls: readonly URL[];
  /** Sent as `user.name`, which "simple" security reads; undefined sends none. */
  readonly user: string | undefined;
  readonly parallelRequests: number;
  readonly fetchJson: FetchJson;
  readonly clock: Clock;
}

const LIVE_STATES = 'NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING';

/** Sees a YARN cluster through its ResourceManager's REST API (`/ws/v1/cluster`, Hadoop 2.6 to 3.5). */
export class YarnClusterReader implements ClusterReader {
  readonly witness = 'yarn';
  readonly #options: YarnReaderOptions;
  /** Index of the ResourceManager that answered last. */
  #active = 0;

  constructor(options: YarnReaderOptions) {
    this.#options = options;
  }

  async snapshot(open: OpenApplications, signal: AbortSignal): Promise<ClusterSnapshot> {
    const snapshot = new SnapshotBuilder(this.#options.clock.now());
    const metrics = await this.#findActive(snapshot, signal);
    if (metrics === undefined) return snapshot.build();
    const [applications] = await Promise.all([
      this.#listApplications(metrics, snapshot, signal),
      this.#readNodes(snapshot, signal),
    ]);
    if (applications !== undefined) {
      const live = applications.filter(({ state }) => state !== 'ended');
      const pending = live.map((one) => one.pending).reduce(addResources, NO_RESOURCES);
      snapshot.load = decodeLoad(metrics, pending);
      const missing = await this.#askAfter(open, applications, { snapshot, signal });
      const look = { open, snapshot, signal };
      await mapBounded(
        [...applications, ...missing],
        this.#options.parallelRequests,
        (application) => this.#readApplication(application, look),
      );
      snapshot.listed = true;
    }
    return snapshot.build();
  }

  #get(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal) {
    const { urls, user, fetchJson } = this.#options;
    const base = urls[this.#active] as URL;
    const url = new URL(`${base.pathname.replace(/\/+$/, '')}/ws/v1/cluster/${path}`, base);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    if (user !== undefined) url.searchParams.set('user.name', user);
    return fetchJson(url, signal);
  }

  /** The metrics answer of the first ResourceManager that gives one, the last good one first. */
  async #findActive(snapshot: SnapshotBuilder, signal: AbortSignal): Promise<unknown> {
    const { urls } = this.#options;
    for (let tried = 0; tried < urls.length; tried += 1) {
      try {
        const metrics = await this.#get('metrics', {}, signal);
        if (field(objectAt(metrics), 'clusterMetrics') !== undefined) return metrics;
        snapshot.problem('not-understood', 'metrics', 'the answer has no clusterMetrics');
      } catch (error) {
        signal.throwIfAborted();
        snapshot.fault('metrics', error);
      }
      this.#active = (this.#active + 1) % urls.length;
    }
    return undefined;
  }

  async #listApplications(
    metrics: unknown,
    snapshot: SnapshotBuilder,
    signal: AbortSignal,
  ): Promise<readonly YarnApplication[] | undefined> {
    const hasPending = field(objectAt(metrics, 'clusterMetrics'), 'pendingMB') !== undefined;
    // Without the open asks an answer is many times smaller; old managers need them for the load.
    const fewer = hasPending ? { deSelects: 'resourceRequests' } : {};
    const query = { states: LIVE_STATES, applicationTypes: 'SPARK', ...fewer };
    try {
      const decoded = decodeApplications(await this.#get('apps', query, signal));
      if (decoded === undefined) {
        snapshot.problem('not-understood', 'apps', 'the answer has no list of applications');
        return undefined;
      }
      for (const id of decoded.repeated) {
        snapshot.problem('listed-twice', id, 'the first row is taken');
      }
      if (decoded.unusable > 0) {
        snapshot.problem('not-understood', 'apps', `${decoded.unusable} rows without an id`);
      }
      return decoded.applications;
    } catch (error) {
      signal.throwIfAborted();
      snapshot.fault('apps', error);
      return undefined;
    }
  }

  async #readNodes(snapshot: SnapshotBuilder, signal: AbortSignal): Promise<void> {
    try {
      snapshot.nodes = decodeNodes(await this.#get('nodes', {}, signal));
      if (snapshot.nodes === undefined) {
        snapshot.problem('not-understood', 'nodes', 'the answer has no list of nodes');
      }
    } catch (error) {
      signal.throwIfAborted();
      snapshot.fault('nodes', error);
    }
  }

  /** Applications that were open and left the list of live ones: ended, or forgotten (404). */
  async #askAfter(
    open: OpenApplications,
    listed: readonly YarnApplication[],
    { snapshot, signal }: { snapshot: SnapshotBuilder; signal: AbortSignal },
  ): Promise<YarnApplication[]> {
    const known = new Set(listed.map(({ application }) => application));
    const missing = [...open.keys()].filter((id) => !known.has(id) && isYarnApplicationId(id));
    const rows = await mapBounded(missing, this.#options.parallelRequests, async (id) => {
      try {
        const answer = await this.#get(`apps/${id}`, {}, signal);
        const application = decodeApplication(objectAt(answer, 'app'));
        if (application?.application === id) return application;
        snapshot.problem('not-understood', id, 'the answer is not this application');
        snapshot.failed.add(id);
      } catch (error) {
        signal.throwIfAborted();
        if (problemStatus(error) !== 404) {
          snapshot.fault(id, error);
          snapshot.failed.add(id);
        }
      }
      return undefined;
    });
    return rows.filter((row) => row !== undefined);
  }

  async #readApplication(
    application: YarnApplication,
    look: { open: OpenApplications; snapshot: SnapshotBuilder; signal: AbortSignal },
  ): Promise<void> {
    const { snapshot, signal } = look;
    const { application: id, state } = application;
    if (!application.viewable) {
      // A zero here is a missing right, not an idle application.
      snapshot.problem('no-view-right', id, `user ${application.user}, state ${state}`);
      if (state !== 'ended') snapshot.failed.add(id);
      return;
    }
    try {
      const seen = await this.#withAttempts(application, look);
      snapshot.applications.push(seen);
      if (state === 'running') await this.#readContainers(seen, snapshot, signal);
      else snapshot.answered.add(id);
    } catch (error) {
      signal.throwIfAborted();
      snapshot.failed.add(id);
      snapshot.problem(problemReason(error), id, error instanceof Error ? error.message : '');
    }
  }

  /** Reads the attempts when the row doesn't name the running one, or when an older one is open. */
  async #withAttempts(
    application: YarnApplication,
    { open, signal }: { open: OpenApplications; signal: AbortSignal },
  ): Promise<YarnApplication> {
    const { application: id, attempt, state } = application;
    const older = [...(open.get(id) ?? [])].some((one) => one !== attempt);
    if (state === 'waiting' && !older) return application;
    if (attempt !== '' && !older) return application;
    const attempts = decodeAttempts(await this.#get(`apps/${id}/appattempts`, {}, signal)) ?? [];
    const endedAttempts = new Map<string, number>();
    for (const one of attempts) {
      if (one.endedAt !== undefined) endedAttempts.set(one.attempt, one.endedAt);
    }
    const last = attempts.reduce(
      (best, one) => (Number(one.attempt) > Number(best?.attempt ?? 0) ? one : best),
      attempts[0],
    );
    if (attempt !== '' || last === undefined) return { ...application, endedAttempts };
    const masterContainer = parseContainerId(last.masterContainer) ? last.masterContainer : '';
    return { ...application, endedAttempts, attempt: last.attempt, masterContainer };
  }

  async #readContainers(
    application: YarnApplication,
    snapshot: SnapshotBuilder,
    signal: AbortSignal,
  ): Promise<void> {
    const { application: id, attempt, masterContainer } = application;
    if (attempt === '') {
      snapshot.failed.add(id);
      snapshot.problem('not-understood', id, 'it runs, but no attempt is named');
      return;
    }
    const at = this.#options.clock.now();
    const path = `apps/${id}/appattempts/${attemptId(id, attempt)}/containers`;
    const decoded = decodeContainers(await this.#get(path, {}, signal), { at, masterContainer });
    if (decoded === undefined || decoded.unusable > 0) {
      snapshot.failed.add(id);
      snapshot.problem('not-understood', id, 'the list of its containers is not understood');
      if (decoded === undefined) return;
    } else if (decoded.sizeUnknown.length > 0) snapshot.failed.add(id);
    else snapshot.answered.add(id);
    snapshot.containers.push(...decoded.containers);
    snapshot.ended.push(...decoded.ended);
    for (const container of decoded.sizeUnknown) {
      snapshot.problem('size-unknown', container, 'its memory or cores are missing or -1');
    }
  }
}
