import { ApplicationRun } from './application-run.ts';
import { ClusterState } from './cluster-state.ts';
import { Random } from './random.ts';
import type { SimEvent } from './sim-event.ts';
import { CLUSTERS, demand, WORKLOADS, type Workload } from './workload.ts';

/** Finished applications a manager still lists. */
const REMEMBERED = 50;
const EDGE_NODE = 'edge-01';
/** A runaway that nobody stops is stopped by its own owner in the end. */
const RUNAWAY_ENDS_MS = 4 * 3_600_000;

/**
 * A small Spark platform: the same for the same seed and start. It decides what happens and when;
 * outputs write it down in Spark's formats.
 */
export class Platform {
  readonly clusters = new Map(CLUSTERS.map((spec) => [spec.id, new ClusterState(spec)]));
  readonly #random: Random;
  readonly #startedAt: number;
  readonly #next = new Map<Workload, number>();
  #runs: ApplicationRun[] = [];
  #count = 0;
  #now: number;

  constructor(seed: number, startedAt: number) {
    this.#random = new Random(seed);
    this.#startedAt = startedAt;
    this.#now = startedAt;
    for (const workload of WORKLOADS) {
      const first = workload.kind === 'stream' ? 0 : this.#random.next() * workload.everyMs * 0.3;
      this.#next.set(workload, startedAt + first);
    }
  }

  get now(): number {
    return this.#now;
  }

  get startedAt(): number {
    return this.#startedAt;
  }

  /** Running and lately ended applications, oldest first. */
  runs(cluster: string): readonly ApplicationRun[] {
    return this.#runs.filter(({ app }) => app.workload.cluster === cluster);
  }

  /** Moves time in steps of one second and returns what happened, in order. */
  advance(to: number): SimEvent[] {
    const events: SimEvent[] = [];
    while (this.#now + 1_000 <= to) {
      this.#now += 1_000;
      this.#submit();
      for (const run of this.#runs) events.push(...run.step(this.#now));
      this.#stopRunaways(events);
      this.#countPending();
      this.#forget();
    }
    return events;
  }

  #submit(): void {
    for (const workload of WORKLOADS) {
      if ((this.#next.get(workload) ?? 0) > this.#now) continue;
      const cluster = this.clusters.get(workload.cluster);
      // A standalone application's driver runs where it was submitted, outside the cluster.
      const node =
        cluster?.spec.type === 'standalone'
          ? EDGE_NODE
          : cluster?.allocate(ApplicationRun.driverNeed);
      if (cluster === undefined || node === undefined) continue;
      const app = {
        id: this.#applicationId(workload),
        attempt: 1,
        workload,
        submittedAt: this.#now,
      };
      const seed = this.#random.between(0, 2 ** 31);
      this.#runs.push(new ApplicationRun(app, cluster, new Random(seed), node));
      const gap =
        workload.kind === 'stream'
          ? Number.POSITIVE_INFINITY
          : this.#random.exponential(workload.everyMs / demand(workload.shape, this.#now));
      this.#next.set(workload, this.#now + 30_000 + gap);
    }
  }

  #applicationId(workload: Workload): string {
    this.#count += 1;
    if (workload.cluster === 'yarn-main') {
      return `application_${this.#startedAt}_${String(this.#count).padStart(4, '0')}`;
    }
    const date = new Date(this.#now).toISOString().replace(/\D/g, '').slice(0, 14);
    return `app-${date}-${String(this.#count).padStart(4, '0')}`;
  }

  #stopRunaways(events: SimEvent[]): void {
    for (const run of this.#runs) {
      if (run.app.workload.fault !== 'runs-away' || run.state !== 'running') continue;
      if (this.#now - run.startedAt < RUNAWAY_ENDS_MS) continue;
      events.push(...run.stop(this.#now));
    }
  }

  #countPending(): void {
    for (const [id, cluster] of this.clusters) {
      const pending = { cores: 0, memoryMib: 0 };
      for (const run of this.runs(id)) {
        pending.cores += run.pending * run.executorNeed.cores;
        pending.memoryMib += run.pending * run.executorNeed.memoryMib;
      }
      cluster.setPending(pending);
    }
  }

  #forget(): void {
    const ended = this.#runs.filter(({ state }) => state === 'ended');
    if (ended.length <= REMEMBERED) return;
    const forgotten = new Set(ended.slice(0, ended.length - REMEMBERED));
    this.#runs = this.#runs.filter((run) => !forgotten.has(run));
  }
}
