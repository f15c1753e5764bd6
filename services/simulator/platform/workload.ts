/** What the platform runs, as a platform team would describe it. */
export interface SimulatedCluster {
  readonly id: string;
  readonly type: 'yarn' | 'standalone';
  readonly nodes: number;
  readonly nodeCores: number;
  readonly nodeMemoryMib: number;
}

export interface Workload {
  readonly name: string;
  readonly cluster: string;
  readonly user: string;
  readonly queue: string;
  /** Value of spark.tollgate.project, or '' for a job that nobody labelled. */
  readonly project: string;
  readonly kind: 'batch' | 'stream';
  readonly executorCores: number;
  readonly executorMemoryMib: number;
  readonly minExecutors: number;
  readonly maxExecutors: number;
  /** Batch: mean time between submissions at full demand. */
  readonly everyMs: number;
  /** Batch: stages of a run; stream: tasks of a micro-batch. */
  readonly stages: number;
  readonly tasks: number;
  readonly taskMs: number;
  /** Demand over the day: `night` peaks at 02:00 UTC, `day` at 14:00. */
  readonly shape: 'day' | 'night' | 'flat';
  readonly fault?: 'stalls' | 'runs-away' | 'flaky';
  /** Stream: records a second at full demand. */
  readonly rowsPerSecond?: number;
}

export const CLUSTERS: readonly SimulatedCluster[] = [
  { id: 'yarn-main', type: 'yarn', nodes: 12, nodeCores: 16, nodeMemoryMib: 65_536 },
  { id: 'spark-lab', type: 'standalone', nodes: 4, nodeCores: 8, nodeMemoryMib: 32_768 },
];

const yarn = { cluster: 'yarn-main', executorCores: 4, executorMemoryMib: 8_192 } as const;
const lab = { cluster: 'spark-lab', executorCores: 2, executorMemoryMib: 4_096 } as const;
const batch = { kind: 'batch', minExecutors: 1 } as const;

export const WORKLOADS: readonly Workload[] = [
  {
    ...yarn,
    ...batch,
    name: 'orders daily rollup',
    user: 'etl',
    queue: 'root.etl',
    project: 'etl',
    maxExecutors: 10,
    everyMs: 420_000,
    stages: 5,
    tasks: 60,
    taskMs: 9_000,
    shape: 'night',
  },
  {
    ...yarn,
    ...batch,
    name: 'ads attribution',
    user: 'ana',
    queue: 'root.ads',
    project: 'ads',
    maxExecutors: 14,
    everyMs: 480_000,
    stages: 4,
    tasks: 90,
    taskMs: 12_000,
    shape: 'day',
    fault: 'flaky',
  },
  {
    ...yarn,
    ...batch,
    name: 'ml.features v2.1',
    user: 'mlops',
    queue: 'root.ml',
    project: 'ml',
    maxExecutors: 12,
    everyMs: 700_000,
    stages: 6,
    tasks: 70,
    taskMs: 14_000,
    shape: 'day',
  },
  {
    ...yarn,
    kind: 'stream',
    name: 'clickstream',
    user: 'ana',
    queue: 'root.ads',
    project: 'ads',
    minExecutors: 3,
    maxExecutors: 5,
    everyMs: 0,
    stages: 1,
    tasks: 12,
    taskMs: 1_400,
    shape: 'day',
    rowsPerSecond: 9_000,
  },
  {
    ...yarn,
    kind: 'stream',
    name: 'fraud-alerts',
    user: 'risk',
    queue: 'root.risk',
    project: 'risk',
    minExecutors: 2,
    maxExecutors: 3,
    everyMs: 0,
    stages: 1,
    tasks: 8,
    taskMs: 900,
    shape: 'flat',
    rowsPerSecond: 2_500,
    fault: 'stalls',
  },
  {
    ...lab,
    ...batch,
    name: 'notebook exploration',
    user: 'kim',
    queue: '',
    project: '',
    maxExecutors: 4,
    everyMs: 600_000,
    stages: 3,
    tasks: 16,
    taskMs: 7_000,
    shape: 'day',
  },
  {
    ...lab,
    ...batch,
    name: 'risk backtest',
    user: 'risk',
    queue: '',
    project: 'risk',
    maxExecutors: 8,
    everyMs: 5_400_000,
    stages: 40,
    tasks: 80,
    taskMs: 20_000,
    shape: 'flat',
    fault: 'runs-away',
  },
];

/** Share of full demand at a time of day, 0.25 to 1. */
export function demand(shape: Workload['shape'], at: number): number {
  if (shape === 'flat') return 0.8;
  const hour = (at / 3_600_000) % 24;
  const peak = shape === 'day' ? 14 : 2;
  return 0.625 + 0.375 * Math.cos(((hour - peak) / 12) * Math.PI);
}
