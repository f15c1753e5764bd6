import type { ClusterState } from './cluster-state.ts';
import type { Random } from './random.ts';
import type { SimApplication, SimEvent, SimExecutor, SimTask } from './sim-event.ts';
import { StreamingQuery } from './streaming-query.ts';

interface Executor extends SimExecutor {
  readonly usableAt: number;
  readonly running: Set<SimTask>;
  idleSince: number;
}

interface Stage {
  readonly id: number;
  readonly job: number;
  readonly tasks: number;
  /** Indexes to run, with their attempt. */
  readonly waiting: { index: number; attempt: number }[];
  readonly running: Set<SimTask>;
}

const DRIVER = { cores: 1, memoryMib: 2_048 };
const OVERHEAD_FACTOR = 0.1;
const MIN_OVERHEAD_MIB = 384;
/** spark.dynamicAllocation.executorIdleTimeout */
const IDLE_TIMEOUT_MS = 60_000;
const METRICS_EVERY_MS = 10_000;

type Emission = SimEvent extends infer E ? (E extends SimEvent ? Omit<E, 'app'> : never) : never;

/** One attempt of an application: its driver, its executors under dynamic allocation, its work. */
export class ApplicationRun {
  readonly app: SimApplication;
  readonly cluster: ClusterState;
  readonly executorNeed: { cores: number; memoryMib: number };
  readonly driver: SimExecutor;
  readonly #random: Random;
  readonly #out: SimEvent[] = [];
  readonly #executors = new Map<string, Executor>();
  readonly #query: StreamingQuery | undefined;
  #startedAt = 0;
  #endedAt = 0;
  #nextExecutor = 1;
  #nextTask = 0;
  #nextStage = 0;
  #nextJob = 0;
  #stage: Stage | undefined;
  #stagesLeft: number;
  #wanted = 0;
  #metricsAt = 0;

  constructor(app: SimApplication, cluster: ClusterState, random: Random, driverNode: string) {
    this.app = app;
    this.cluster = cluster;
    this.#random = random;
    const heap = app.workload.executorMemoryMib;
    this.executorNeed = {
      cores: app.workload.executorCores,
      memoryMib: heap + Math.max(Math.floor(heap * OVERHEAD_FACTOR), MIN_OVERHEAD_MIB),
    };
    this.driver = {
      id: 'driver',
      container: this.#container(1),
      node: driverNode,
      requestedAt: app.submittedAt,
    };
    this.#stagesLeft =
      app.workload.kind === 'stream' ? Number.POSITIVE_INFINITY : app.workload.stages;
    if (app.workload.kind === 'stream') this.#query = new StreamingQuery(app.workload, random);
  }

  static readonly driverNeed = DRIVER;

  get state(): 'starting' | 'running' | 'ended' {
    if (this.#endedAt > 0) return 'ended';
    return this.#startedAt > 0 ? 'running' : 'starting';
  }

  get startedAt(): number {
    return this.#startedAt;
  }

  get endedAt(): number {
    return this.#endedAt;
  }

  get executors(): readonly SimExecutor[] {
    return [...this.#executors.values()];
  }

  /** Executors asked for and not granted. */
  get pending(): number {
    return this.state === 'running' ? Math.max(0, this.#wanted - this.#executors.size) : 0;
  }

  #container(n: number): string {
    const { id, attempt, workload } = this.app;
    if (workload.cluster !== 'yarn-main') return `${id}/${n - 2}`;
    const number = String(n).padStart(6, '0');
    return `container_${id.slice('application_'.length)}_${String(attempt).padStart(2, '0')}_${number}`;
  }

  #emit(event: Emission): void {
    this.#out.push({ ...event, app: this.app } as SimEvent);
  }

  /** Advances to `now` and returns what happened since the call before, in order of time. */
  step(now: number): SimEvent[] {
    if (this.#endedAt > 0) return [];
    if (this.#startedAt === 0) this.#start(now);
    if (this.#startedAt > 0) {
      this.#endTasks(now);
      this.#loseAnExecutor(now);
      this.#nextWork(now);
      if (this.state === 'running') {
        this.#allocate(now);
        this.#launch(now);
        this.#reportMetrics(now);
      }
    }
    return this.#out.splice(0).sort((a, b) => a.at - b.at);
  }

  #start(now: number): void {
    if (now < this.app.submittedAt + 4_000) return;
    this.#startedAt = now;
    this.#emit({ at: now, kind: 'application-started' });
    if (this.#query !== undefined) {
      this.#emit({ at: now, kind: 'query-started', id: this.#query.id, runId: this.#query.runId });
    }
  }

  #endTasks(now: number): void {
    const stage = this.#stage;
    for (const executor of this.#executors.values()) {
      for (const task of executor.running) {
        if (task.finish > now) continue;
        executor.running.delete(task);
        executor.idleSince = task.finish;
        stage?.running.delete(task);
        if (task.outcome !== 'success') {
          stage?.waiting.push({ index: task.index, attempt: task.attempt + 1 });
        }
        this.#emit({ at: task.finish, kind: 'task-ended', task });
      }
    }
  }

  /** Spot loss or a memory kill, now and then: its tasks are lost and run again elsewhere. */
  #loseAnExecutor(now: number): void {
    const rate = this.app.workload.fault === 'flaky' ? 1 / 240 : 1 / 7_200;
    if (this.#executors.size < 2 || !this.#random.chance(rate)) return;
    const executor = [...this.#executors.values()].at(-1);
    if (executor === undefined) return;
    for (const task of executor.running) {
      const lost: SimTask = { ...task, finish: now, outcome: 'lost' };
      this.#stage?.running.delete(task);
      this.#stage?.waiting.push({ index: task.index, attempt: task.attempt + 1 });
      this.#emit({ at: now, kind: 'task-ended', task: lost });
    }
    this.#remove(
      executor,
      now,
      `Container ${executor.container} on host: ${executor.node} was preempted.`,
    );
  }

  #remove(executor: Executor, at: number, reason: string): void {
    this.#executors.delete(executor.id);
    this.cluster.release(executor, this.executorNeed);
    this.#emit({ at, kind: 'executor-removed', executor, reason });
  }

  #nextWork(now: number): void {
    const stage = this.#stage;
    if (stage !== undefined && (stage.waiting.length > 0 || stage.running.size > 0)) return;
    if (stage !== undefined) this.#completeStage(stage, now);
    if (this.#query !== undefined) {
      if (this.#query.triggers(now)) this.#submitStage(now, this.app.workload.tasks);
      return;
    }
    if (this.#stagesLeft > 0) {
      const spread = this.app.workload.tasks * (0.5 + this.#random.next());
      this.#submitStage(now, Math.max(1, Math.round(spread)));
    } else this.#end(now, false);
  }

  #completeStage(stage: Stage, now: number): void {
    this.#stage = undefined;
    this.#stagesLeft -= 1;
    this.#emit({ at: now, kind: 'stage-completed', stage: stage.id, tasks: stage.tasks });
    this.#emit({ at: now, kind: 'job-ended', job: stage.job, failed: false });
    const progress = this.#query?.commit(now);
    if (progress !== undefined) this.#emit({ at: now, kind: 'progress', progress });
  }

  #submitStage(now: number, tasks: number): void {
    const [job, id] = [this.#nextJob++, this.#nextStage++];
    this.#stage = {
      id,
      job,
      tasks,
      waiting: Array.from({ length: tasks }, (_, index) => ({ index, attempt: 0 })),
      running: new Set(),
    };
    this.#emit({ at: now, kind: 'job-started', job, stages: [id] });
    this.#emit({ at: now, kind: 'stage-submitted', stage: id, tasks });
  }

  /** Dynamic allocation: as many executors as there are tasks for, released when idle. */
  #allocate(now: number): void {
    const { minExecutors, maxExecutors, executorCores } = this.app.workload;
    const tasks = (this.#stage?.waiting.length ?? 0) + (this.#stage?.running.size ?? 0);
    this.#wanted = Math.min(maxExecutors, Math.max(minExecutors, Math.ceil(tasks / executorCores)));
    for (const executor of this.#executors.values()) {
      if (this.#executors.size <= Math.max(this.#wanted, minExecutors)) break;
      if (executor.running.size > 0 || now - executor.idleSince < IDLE_TIMEOUT_MS) continue;
      this.#remove(executor, now, 'Executor killed by driver.');
    }
    // A manager grants a few containers a heartbeat.
    for (let grants = 0; grants < 3 && this.#executors.size < this.#wanted; grants += 1) {
      const node = this.cluster.allocate(this.executorNeed);
      if (node === undefined) return;
      const id = this.#nextExecutor++;
      const executor: Executor = {
        id: String(this.app.workload.cluster === 'yarn-main' ? id : id - 1),
        container: this.#container(id + 1),
        node,
        requestedAt: now - 2_000,
        usableAt: now + this.#random.between(2_000, 6_000),
        running: new Set(),
        idleSince: now,
      };
      this.#executors.set(executor.id, executor);
      this.#emit({ at: now, kind: 'executor-added', executor });
    }
  }

  #launch(now: number): void {
    const stage = this.#stage;
    if (stage === undefined) return;
    const flaky = this.app.workload.fault === 'flaky' ? 0.04 : 0.003;
    for (const executor of this.#executors.values()) {
      if (executor.usableAt > now) continue;
      while (executor.running.size < this.app.workload.executorCores) {
        const next = stage.waiting.shift();
        if (next === undefined) return;
        const ms = Math.max(200, Math.round(this.#random.skewed(this.app.workload.taskMs)));
        const task: SimTask = {
          id: this.#nextTask++,
          stage: stage.id,
          ...next,
          executor: executor.id,
          launch: now,
          finish: now + ms,
          outcome: this.#random.chance(flaky) ? 'failed' : 'success',
        };
        executor.running.add(task);
        stage.running.add(task);
        this.#emit({ at: now, kind: 'task-started', task });
      }
    }
  }

  #reportMetrics(now: number): void {
    if (now < this.#metricsAt) return;
    this.#metricsAt = now + METRICS_EVERY_MS;
    const executors = [this.driver, ...this.#executors.values()];
    this.#emit({ at: now, kind: 'metrics', executors, tasks: this.#nextTask });
  }

  /** Stops it from outside and returns what that makes happen. */
  stop(now: number): SimEvent[] {
    this.#end(now, true);
    return this.#out.splice(0);
  }

  /** Ends the application; executors alive at its end get no removal event, as in real logs. */
  #end(now: number, failed: boolean): void {
    this.#endedAt = now;
    this.#emit({ at: now, kind: 'application-ended', failed });
    for (const executor of this.#executors.values()) {
      this.cluster.release(executor, this.executorNeed);
    }
    this.#executors.clear();
    this.cluster.release(this.driver, DRIVER);
  }
}
