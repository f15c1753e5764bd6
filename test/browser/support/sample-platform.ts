import type { z } from 'zod';
import type * as rest from '../../../shared/contracts/rest.ts';

type Answer<Name extends keyof typeof rest> = (typeof rest)[Name] extends z.ZodType
  ? z.infer<(typeof rest)[Name]>
  : never;
export type Project = Answer<'restProject'>;
export type Application = Answer<'restApplication'>;
export type StreamingQuery = Answer<'restStreamingQueries'>['queries'][number];
export type Log = Answer<'restLog'>;

/** What the stand-in of the API answers from. A test changes it while the page looks on. */
export interface SamplePlatform {
  nowMs: () => number;
  mode: 'demo' | 'start';
  clusters: Answer<'restClusters'>['clusters'];
  pools: Answer<'restPrices'>['pools'];
  projects: Project[];
  applications: Application[];
  queries: StreamingQuery[];
  logs: Log[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const iso = (ms: number): string => new Date(ms).toISOString();

export function aProject(nowMs: number, over: Partial<Project> & { id: string }): Project {
  return {
    name: over.id,
    tags: { CostCenter: '4711', Stage: 'production' },
    runningApplications: 0,
    balance: aBalance(nowMs, over.id, {}),
    ...over,
  };
}

export function aBalance(
  nowMs: number,
  project: string,
  over: Partial<Project['balance']>,
): Project['balance'] {
  return {
    project,
    granted: '10000',
    charged: '3210.123456789',
    accrued: '12.5',
    reserved: '0',
    balance: '6777.376543211',
    burnPerHour: '84.25',
    coverage: { exact: '3210.123456789', inferred: '0', estimated: '12.5' },
    unlimited: over.granted === '0',
    asOf: iso(nowMs - 3_000),
    ...over,
  };
}

function aCost(
  charged: string,
  accrued: string,
  total: string,
  perHour: string,
): Application['cost'] {
  const coverage = { exact: charged, inferred: '0', estimated: accrued };
  return { charged, accrued, total, perHour, coverage };
}

export function anApplication(
  nowMs: number,
  over: Partial<Application> & { id: string },
): Application {
  return {
    cluster: 'yarn-prod',
    project: 'etl',
    name: 'nightly-orders',
    user: 'airflow',
    queue: 'root.etl',
    attempts: ['1'],
    state: 'running',
    start: iso(nowMs - 92 * MINUTE_MS),
    end: null,
    containers: { running: 33, total: 41 },
    resources: { cores: 129, memoryMib: 540_672, gpus: 0 },
    cost: aCost('41.2', '1.304', '42.504', '28.11'),
    coverage: 'running',
    activity: {
      slotMs: 1_000_000,
      usefulMs: 702_000,
      wastedMs: 61_000,
      idleMs: 150_000,
      tailMs: 52_000,
      startUpMs: 35_000,
    },
    tags: {},
    links: {
      sparkUi: `http://yarn.example:8088/proxy/${over.id}/`,
      manager: `http://yarn.example:8088/cluster/app/${over.id}`,
      logs: null,
    },
    ...over,
  };
}

export function aQuery(
  nowMs: number,
  over: Partial<StreamingQuery> & { id: string },
): StreamingQuery {
  return {
    runId: 'c1f2',
    name: 'clicks-to-lake',
    project: 'web-analytics',
    cluster: 'yarn-prod',
    application: 'application_1763712000000_0007',
    state: 'running',
    verdict: 'ok',
    lastBatchAt: iso(nowMs - 8_000),
    batchId: 18_233,
    inputRowsPerSecond: 12_480.5,
    processedRowsPerSecond: 15_102,
    stateRows: 1_204_551,
    watermarkDelayMs: 42_000,
    lag: 8_120,
    partitions: Array.from({ length: 6 }, (_, partition) => ({
      topic: 'clicks',
      partition: String(partition),
      lag: 1_000 + partition,
      verdict: 'ok' as const,
    })),
    ...over,
  };
}

export function aLog(nowMs: number, over: Partial<Log> & { key: string }): Log {
  return {
    at: iso(nowMs),
    project: 'etl',
    cluster: 'yarn-prod',
    application: 'application_1763712000000_0003',
    container: 'container_1763712000000_0003_01_000004',
    level: 'INFO',
    logger: 'org.apache.spark.executor.Executor',
    thread: 'Executor task launch worker for task 12.0',
    message: `Finished task ${over.key} in stage 4.0 (TID 118). 2211 bytes result sent to driver`,
    fingerprint: '00ff00ff00ff00ff',
    marks: [],
    ...over,
  };
}

const TRACE = `Exception in task 7.0 in stage 4.0 (TID 125)
java.io.IOException: No space left on device
\tat java.base/sun.nio.ch.FileDispatcherImpl.write0(Native Method)
\tat org.apache.spark.shuffle.sort.ShuffleExternalSorter.writeSortedFile(ShuffleExternalSorter.java:181)
\tat org.apache.spark.scheduler.Task.run(Task.scala:141)
Caused by: java.nio.file.FileSystemException: /data/1/blockmgr-19: no space
\t... 21 more`;

/** A lively platform: two clusters, two pools, six projects, streams in every state. */
export function samplePlatform(nowMs: () => number): SamplePlatform {
  const now = nowMs();
  return {
    nowMs,
    mode: 'demo',
    clusters: [aCluster(now, 'yarn-prod', 412), aCluster(now, 'standalone-ml', 62)],
    pools: [
      {
        pool: 'cpu',
        now: epoch(now - 20 * MINUTE_MS, null, '1.15', 'smoothed load 0.83 above 0.80'),
        next: epoch(now + 12 * MINUTE_MS, null, '1.30', 'smoothed load 0.91 above 0.90'),
        history: priceHistory(now),
      },
    ],
    projects: sampleProjects(now),
    applications: sampleApplications(now),
    queries: sampleQueries(now),
    logs: sampleLogs(now),
  };
}

function epoch(startMs: number, endMs: number | null, multiplier: string, reason: string) {
  return { start: iso(startMs), end: endMs === null ? null : iso(endMs), multiplier, reason };
}

function priceHistory(now: number) {
  const steps = ['0.95', '1.00', '1.05', '1.00', '1.10', '1.25', '1.15'];
  return steps.map((multiplier, at) => {
    const start = now - 20 * MINUTE_MS - (steps.length - 1 - at) * 45 * MINUTE_MS;
    const last = at === steps.length - 1;
    return epoch(start, last ? null : start + 45 * MINUTE_MS, multiplier, 'smoothed load');
  });
}

export function aCluster(
  now: number,
  id: string,
  allocated: number,
): SamplePlatform['clusters'][number] {
  const capacity = Math.ceil(allocated / 0.8);
  const at = (cores: number) => ({ cores, memoryMib: cores * 4096, gpus: 0 });
  return {
    id,
    type: id.startsWith('yarn') ? 'yarn' : 'standalone',
    pool: 'cpu',
    nodes: Math.ceil(capacity / 16),
    link: `http://${id}.example:8088/cluster`,
    load: {
      at: iso(now - 4_000),
      allocated: at(allocated),
      pending: at(Math.round(allocated / 12)),
      capacity: at(capacity),
    },
    history: Array.from({ length: 120 }, (_, i) => ({
      at: iso(now - (119 - i) * MINUTE_MS),
      allocated: Math.round(allocated * (0.7 + 0.3 * Math.sin(i / 19) ** 2)),
      pending: Math.max(0, Math.round((allocated / 10) * Math.sin(i / 11))),
      capacity,
    })),
  };
}

function sampleProjects(now: number): Project[] {
  const of = (id: string, running: number, balance: Partial<Project['balance']>, name = id) =>
    aProject(now, { id, name, runningApplications: running, balance: aBalance(now, id, balance) });
  return [
    of('etl', 3, {}, 'Nightly ETL'),
    of('web-analytics', 2, {
      granted: '2500',
      charged: '2290.5',
      balance: '197',
      burnPerHour: '31.02',
    }),
    of('ml-training', 1, {
      granted: '20000',
      charged: '4050.75',
      accrued: '88.1',
      balance: '15861.15',
      burnPerHour: '112.7',
    }),
    of('sandbox', 1, {
      granted: '0',
      charged: '14.2',
      accrued: '0.4',
      balance: '-14.6',
      burnPerHour: '1.05',
    }),
    of('risk', 0, {
      granted: '800',
      charged: '812.4',
      accrued: '0',
      balance: '-12.4',
      burnPerHour: '0',
    }),
    of('unattributed', 0, {
      granted: '0',
      charged: '3.1',
      accrued: '0',
      balance: '-3.1',
      burnPerHour: '0',
    }),
  ];
}

function sampleApplications(now: number): Application[] {
  const id = (n: number) => `application_1763712000000_${String(n).padStart(4, '0')}`;
  return [
    anApplication(now, { id: id(3) }),
    anApplication(now, {
      id: id(4),
      name: 'dedupe-customers',
      activity: null,
      start: iso(now - 70_000),
      cost: aCost('0', '0.3120004', '0.3120004', '16.05'),
    }),
    anApplication(now, {
      id: id(7),
      project: 'web-analytics',
      name: 'clicks-to-lake',
      user: 'stream',
      queue: 'root.web',
      start: iso(now - 76 * HOUR_MS),
      resources: { cores: 24, memoryMib: 98_304, gpus: 0 },
      cost: aCost('1480.02', '2.2', '1482.22', '19.4'),
    }),
    anApplication(now, {
      id: 'app-20261121081500-0002',
      cluster: 'standalone-ml',
      project: 'ml-training',
      name: 'ranker-fit',
      user: 'mina',
      queue: '',
      resources: { cores: 61, memoryMib: 249_856, gpus: 8 },
      cost: aCost('310.9', '88.1', '399', '112.7'),
      activity: {
        slotMs: 100,
        usefulMs: 41,
        wastedMs: 22,
        idleMs: 28,
        tailMs: 6,
        startUpMs: 3,
      },
    }),
    anApplication(now, {
      id: id(1),
      name: 'hourly-refunds',
      state: 'ended',
      start: iso(now - 5 * HOUR_MS),
      end: iso(now - 4 * HOUR_MS),
      coverage: 'inferred',
      containers: { running: 0, total: 12 },
      resources: { cores: 0, memoryMib: 0, gpus: 0 },
      cost: aCost('9.75', '0', '9.75', '0'),
      links: { sparkUi: `https://history.example/history/${id(1)}/1/`, manager: null, logs: null },
    }),
  ];
}

function sampleQueries(now: number): StreamingQuery[] {
  return [
    aQuery(now, { id: 'q-clicks' }),
    aQuery(now, {
      id: 'q-sessions',
      name: 'sessions',
      verdict: 'stall',
      lag: 1_902_344,
      lastBatchAt: iso(now - 6 * MINUTE_MS),
      processedRowsPerSecond: 0,
      partitions: [
        { topic: 'sessions', partition: '0', lag: 1_902_000, verdict: 'stall' },
        { topic: 'sessions', partition: '1', lag: 344, verdict: 'ok' },
      ],
    }),
    aQuery(now, { id: 'q-ads', name: 'ad-impressions', verdict: 'warn', lag: 88_410 }),
    aQuery(now, {
      id: 'q-audit',
      name: 'audit-trail',
      project: 'etl',
      verdict: 'stop',
      state: 'silent',
      lag: null,
      stateRows: null,
      watermarkDelayMs: null,
      inputRowsPerSecond: null,
      processedRowsPerSecond: null,
      lastBatchAt: iso(now - 3 * HOUR_MS),
    }),
    aQuery(now, { id: 'q-replay', name: 'replay-orders', project: 'etl', verdict: 'rewind' }),
  ];
}

function sampleLogs(now: number): Log[] {
  return Array.from({ length: 300 }, (_, i) => {
    const over = { key: `k${i}`, at: iso(now - i * 1_700) };
    if (i % 23 === 5) {
      const fingerprint = 'eeee0000eeee0000';
      return aLog(now, { ...over, level: 'ERROR', message: TRACE, fingerprint });
    }
    if (i % 9 === 4) {
      return aLog(now, {
        ...over,
        level: 'WARN',
        logger: 'org.apache.spark.storage.BlockManager',
        message: `Asked to remove block broadcast_${i}, which does not exist; password=***`,
        fingerprint: 'aaaa1111aaaa1111',
        marks: ['masked'],
      });
    }
    const project = i % 3 === 0 ? 'web-analytics' : 'etl';
    return aLog(now, { ...over, project, container: i % 2 === 0 ? 'driver' : '14' });
  });
}
