import type { Clock } from '../../runtime/clock.ts';
import { DAY_MS, type Instant } from '../../values/instant.ts';
import { isResources } from '../../values/resources.ts';
import type { ClusterReader, ClusterSnapshot, OpenApplications } from '../cluster-reader.ts';
import type { FetchJson } from '../fetch-json.ts';
import { mapBounded } from '../map-bounded.ts';
import { SnapshotBuilder } from '../snapshot-builder.ts';
import { decodeMaster, type MasterState, type StandaloneWorker } from './decode-master.ts';
import { decodeWorker, type StandaloneExecutor, type WorkerState } from './decode-worker.ts';
import { splitCores } from './split-cores.ts';
import { standaloneLoad, standalonePending } from './standalone-load.ts';

export interface StandaloneReaderOptions {
  /** Web addresses of the masters; the one that is ALIVE is found among them. */
  readonly urls: readonly URL[];
  /** False where workers' web addresses can't be reached: then executors aren't seen. */
  readonly readWorkers: boolean;
  readonly parallelRequests: number;
  readonly fetchJson: FetchJson;
  readonly clock: Clock;
}

interface AnsweredWorker {
  readonly listed: StandaloneWorker;
  readonly state: WorkerState;
}

/** A master's clock further away than this isn't believed; its answer then counts at ours. */
const MAX_SKEW_MS = DAY_MS;

/** Sees a Spark standalone cluster through its master's and workers' `/json/` (Spark 1.x to 4.x). */
export class StandaloneClusterReader implements ClusterReader {
  readonly witness = 'standalone';
  readonly #options: StandaloneReaderOptions;
  /** Index of the master that was ALIVE last. */
  #active = 0;

  constructor(options: StandaloneReaderOptions) {
    this.#options = options;
  }

  async snapshot(_open: OpenApplications, signal: AbortSignal): Promise<ClusterSnapshot> {
    const snapshot = new SnapshotBuilder(this.#options.clock.now());
    const master = await this.#findAlive(snapshot, signal);
    if (master === undefined) return snapshot.build();
    for (const id of master.repeated) {
      if (id === '') snapshot.problem('not-understood', 'json', 'a row without an id');
      else snapshot.problem('listed-twice', id, 'the first row is taken');
    }
    const up = master.workers.filter((worker) => worker.up);
    const answers = await mapBounded(up, this.#options.parallelRequests, (worker) =>
      this.#readWorker(worker, snapshot, signal),
    );
    const workers = answers.filter((answer) => answer !== undefined);
    const executors = workers.flatMap(({ state }) => state.executors);
    const pending = standalonePending(master, executors);
    const active = master.active.map((one) => {
      const wanted = pending.get(one.application);
      return wanted === undefined ? one : { ...one, pending: wanted };
    });
    snapshot.applications.push(...active, ...master.completed);
    snapshot.nodes = up.map(({ worker, capacity }) => ({ node: worker, capacity }));
    snapshot.load = standaloneLoad(master, executors);
    snapshot.listed = true;
    this.#placeExecutors(master, workers, snapshot);
    for (const driver of master.drivers) {
      // The master doesn't name the driver's application; its event log does, and meters it.
      if (!driver.running) continue;
      snapshot.problem('driver-without-application', driver.driver, `on ${driver.worker}`);
    }
    return snapshot.build();
  }

  async #findAlive(
    snapshot: SnapshotBuilder,
    signal: AbortSignal,
  ): Promise<MasterState | undefined> {
    const { urls, fetchJson } = this.#options;
    for (let tried = 0; tried < urls.length; tried += 1) {
      const base = urls[this.#active] as URL;
      try {
        const url = new URL(`${base.pathname.replace(/\/+$/, '')}/json/`, base);
        const decoded = decodeMaster(await fetchJson(url, signal));
        if (typeof decoded === 'object') return decoded;
        if (decoded === undefined) {
          snapshot.problem('not-understood', base.origin, 'the answer is no state of a master');
        } else snapshot.problem('standby', base.origin, `the master is ${decoded}`);
      } catch (error) {
        signal.throwIfAborted();
        snapshot.fault(base.origin, error);
      }
      this.#active = (this.#active + 1) % urls.length;
    }
    return undefined;
  }

  async #readWorker(
    listed: StandaloneWorker,
    snapshot: SnapshotBuilder,
    signal: AbortSignal,
  ): Promise<AnsweredWorker | undefined> {
    const { readWorkers, fetchJson } = this.#options;
    const { worker } = listed;
    const base = URL.parse(listed.webAddress);
    if (readWorkers && base !== null && /^https?:$/.test(base.protocol)) {
      try {
        const url = new URL(`${base.pathname.replace(/\/+$/, '')}/json/`, base);
        const state = decodeWorker(await fetchJson(url, signal));
        if (state?.worker === worker) {
          snapshot.answered.add(worker);
          return { listed, state };
        }
        snapshot.problem('not-understood', worker, 'the answer is not this worker’s state');
      } catch (error) {
        signal.throwIfAborted();
        snapshot.fault(worker, error);
      }
    } else if (readWorkers) {
      snapshot.problem('not-understood', worker, 'its web address is no http address');
    }
    snapshot.failed.add(worker);
    return undefined;
  }

  #placeExecutors(
    master: MasterState,
    workers: readonly AnsweredWorker[],
    snapshot: SnapshotBuilder,
  ): void {
    const completed = new Set(master.completed.map(({ application }) => application));
    const placed = workers.flatMap(({ listed, state }) => {
      for (const { application, executor } of state.finished) {
        const container = standaloneContainer(application, executor);
        snapshot.ended.push({ container, at: undefined, reason: 'finished' });
      }
      return state.executors
        .filter(({ application }) => !completed.has(application))
        .map((own) => ({ ...own, worker: listed.worker, host: listed.host }));
    });
    const sights = new Map(master.active.map((one) => [one.application, one.seenAt]));
    const split = splitCores(placed, {
      usedByWorker: coresOfExecutors(master, workers),
      grantedByApplication: new Map(
        master.active.map(({ application, grantedCores }) => [application, grantedCores]),
      ),
      complete: workers.length === master.workers.filter(({ up }) => up).length,
    });
    for (const { executor: own, cores, certain } of split) {
      const container = standaloneContainer(own.application, own.executor);
      const resources = { ...sizeOf(own), millicores: cores * 1_000 };
      if (cores === 0 || !isResources(resources)) {
        snapshot.problem('size-unknown', container, 'its cores follow from no sum');
        snapshot.failed.add(own.worker);
        continue;
      }
      snapshot.containers.push({
        container,
        application: own.application,
        attempt: '',
        role: 'executor',
        resources,
        sizeCertain: certain,
        host: own.host,
        scope: own.worker,
        startedAt: undefined,
        seenAt: believed(sights.get(own.application), snapshot.at),
      });
    }
  }
}

/** The key that the event log of the same application gives its executors. */
function standaloneContainer(application: string, executor: string): string {
  return `${application}//${executor}`;
}

function sizeOf({ memoryMib, gpus }: StandaloneExecutor): { memoryMib: number; gpus: number } {
  return { memoryMib, gpus };
}

function believed(sight: Instant | undefined, at: Instant): Instant {
  return sight !== undefined && Math.abs(sight - at) <= MAX_SKEW_MS ? sight : at;
}

/** Cores in use on each answered worker, without those of drivers that the cluster runs. */
function coresOfExecutors(
  master: MasterState,
  workers: readonly AnsweredWorker[],
): Map<string, number> {
  const cores = new Map(workers.map(({ state }) => [state.worker, state.usedCores]));
  for (const { driver: _, worker, running, cores: own } of master.drivers) {
    const used = cores.get(worker);
    if (running && used !== undefined) cores.set(worker, Math.max(0, used - own));
  }
  return cores;
}
