import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { copyFile, cp, mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import test from 'node:test';
import { freePort, RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { sharedDataFile } from '../support/shared-data.ts';

/**
 * Real samples go through the running inputs of `tollgate start`; what the stores then hold is
 * compared with what the samples hold, counted here without Tollgate's code.
 */
const CENTURY_MS = 3_155_760_000_000;
const WIDE = 'from=2010-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';

const sample = (path: string): string => readFileSync(sharedDataFile(path), 'utf8');
const sampleLines = (path: string): string[] =>
  sample(path)
    .split('\n')
    .filter((line) => line.trim() !== '');

/** Where each log sample is laid, and how many records it holds. */
const LOGS: readonly { from: string; to: string; records: number; starts: RegExp }[] = [
  {
    from: 'spark4/driver-4.1.2-pattern-layout.log',
    to: 'yarn/application_1795247888953_0002/container_1795247888953_0002_01_000001/stderr',
    // One line stands before the first record: a warning of the JVM.
    records: 283,
    starts: /^\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d /,
  },
  {
    from: 'logs/nvidia-rapids-tools/driverlog',
    to: 'yarn/application_1699350000000_0001/driver/stderr',
    records: 270,
    starts: /^\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{3} /,
  },
  {
    from: 'logs/apache-spark-docs/pyspark-executor-errors.log',
    to: 'yarn/application_1649770000000_0001/container_1649770000000_0001_01_000002/stderr',
    records: 2,
    starts: /^\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d /,
  },
  {
    from: 'spark4/driver-4.1.2-JsonTemplateLayout-Ecs.jsonl',
    to: 'yarn/app-20261121072158-0000/driver/stderr',
    records: 108,
    starts: /^\{/,
  },
];

const EVENT_LOGS: readonly { from: string; application: string; executorMs: number }[] = [
  {
    from: 'spark-eventlogs/apache-spark/application_1628109047826_1317105',
    application: 'application_1628109047826_1317105',
    executorMs: 1_696_700,
  },
  {
    from: 'spark-eventlogs/apache-spark/app-20200706201101-0003',
    application: 'app-20200706201101-0003',
    executorMs: 360_900,
  },
  {
    from: 'spark-eventlogs/apache-spark/application_1578436911597_0052',
    application: 'application_1578436911597_0052',
    executorMs: 32_900,
  },
  {
    from: 'spark-eventlogs/nvidia-rapids-tools/eventlog_4nodes_8cores_dynamic_alloc.zstd',
    application: '',
    executorMs: 498_400,
  },
];

const PROGRESS = [
  'spark4/listener-3.5.8-local.jsonl',
  'spark4/listener-4.0.3-local.jsonl',
  'spark4/listener-4.1.2-standalone.jsonl',
  'spark4/listener-4.1.2-kafka-source.jsonl',
  'streaming-progress/apache-spark-eventlog/query-events-kafka-3.1.jsonl',
];

/** Recorded answers of a ResourceManager and of a master with its worker. */
async function recordedManagers() {
  const yarn = '/ws/v1/cluster';
  const app = 'application_1795247888953_0001';
  const answers: Record<string, string> = {
    [`${yarn}/info`]: 'yarn/info.json',
    [`${yarn}/metrics`]: 'yarn/metrics.json',
    [`${yarn}/nodes`]: 'yarn/nodes.json',
    [`${yarn}/apps`]: 'yarn/running_apps.json',
    [`${yarn}/apps/${app}`]: 'yarn/running_app.json',
    [`${yarn}/apps/${app}/appattempts`]: 'yarn/running_appattempts.json',
    '/json': 'spark4/rest/master_json_running.json',
    '/worker/json': 'spark4/rest/worker_json.json',
  };
  const server = createServer((request, response) => {
    const origin = `http://${request.headers.host}`;
    const path = new URL(request.url ?? '/', origin).pathname.replace(/\/$/, '');
    const file = path.endsWith('/containers') ? 'yarn/attempt_containers.json' : answers[path];
    response.writeHead(file === undefined ? 404 : 200, { 'content-type': 'application/json' });
    const text = file === undefined ? '{}' : sample(file);
    response.end(text.replaceAll('http://127.0.0.1:8081', `${origin}/worker`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function layOut(folder: string): Promise<void> {
  for (const { from, to } of LOGS) {
    const target = join(folder, 'logs', to);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(sharedDataFile(from), target);
  }
  await mkdir(join(folder, 'events'));
  for (const { from } of EVENT_LOGS) {
    await cp(sharedDataFile(from), join(folder, 'events', from.split('/').at(-1) ?? ''));
  }
}

test('real samples arrive in the stores as they are', async (t) => {
  await using folder = await temporaryFolder();
  await using managers = await recordedManagers();
  const graphitePort = await freePort();
  await layOut(folder.path);
  await using tollgate = await RunningTollgate.start(folder.path, {
    logs: {
      files: [
        {
          paths: [join(folder.path, 'logs/yarn/{application}/{container}/stderr')],
          project: 'real',
        },
      ],
    },
    metrics: { graphite: [{ port: graphitePort, project: 'real' }], maxPastMs: CENTURY_MS },
    containers: {
      clusters: [
        { id: 'history', eventLogs: [join(folder.path, 'events')] },
        { id: 'yarn', type: 'yarn', urls: [managers.url], pollIntervalMs: 300 },
        { id: 'lab', type: 'standalone', urls: [managers.url], pollIntervalMs: 300 },
      ],
      attribution: [{ project: 'real' }],
    },
    metering: { projects: [{ id: 'real', grants: [] }] },
  });

  await t.test('log records of every layout, stack traces in one piece', async () => {
    interface Page {
      logs: { message: string; level: string; application: string }[];
      cursor: string | null;
    }
    const all = async () => {
      const found: Page['logs'] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page: Page = await tollgate.get(`/v1/projects/real/logs?${WIDE}&limit=1000${more}`);
        found.push(...page.logs);
        cursor = page.cursor;
      }
      return found;
    };
    const expected = LOGS.reduce((sum, { records }) => sum + records, 0);
    const found = await tollgate.until(all, (logs) => logs.length >= expected);
    for (const { from, to, records, starts } of LOGS) {
      const [, application] = to.split('/');
      const own = found.filter((log) => log.application === application);
      assert.equal(own.length, records, from);
      const counted = sampleLines(from).filter((line) => starts.test(line)).length;
      assert.ok(records - counted <= 1, `${from} holds ${counted} records`);
      const errors = sampleLines(from).filter(
        (line) => starts.test(line) && /^[^:]*:?[^:]*:?[^:]* ERROR |"log.level":"ERROR"/.test(line),
      ).length;
      assert.equal(own.filter(({ level }) => level === 'ERROR').length, errors, from);
    }
    const python = found.find(({ message }) =>
      message.includes('Exception in task 7.0 in stage 37'),
    );
    assert.match(python?.message ?? '', /Traceback[\s\S]*column literals, use 'lit'/);
  });

  await t.test('points of GraphiteSink, each with its value', async () => {
    const files = ['spark4/graphite-3.5.8-local.txt', 'spark4/graphite-4.1.2-standalone.txt'];
    for (const file of files) {
      await pipeline([sample(file)], connect({ host: '127.0.0.1', port: graphitePort }));
    }
    const lines = files.flatMap(sampleLines);
    const line = lines.find((text) => text.includes('.driver.BlockManager.memory.maxMem_MB '));
    const [, value = '', seconds = ''] = line?.split(' ') ?? [];
    interface Series {
      series: { points: [number, number][] }[];
    }
    const { series } = await tollgate.until(
      () =>
        tollgate.get<Series>(
          `/v1/projects/real/metrics?measurement=BlockManager&field=memory.maxMem_MB&step=0&${WIDE}`,
        ),
      (answer) => answer.series.length === 2,
    );
    const points = series.flatMap((one) => one.points);
    assert.ok(points.some(([at, v]) => at === Number(seconds) * 1_000 && v === Number(value)));
    const metrics = await (await fetch(`${tollgate.url}/metrics`)).text();
    const count = (fate: string): number =>
      [
        ...metrics.matchAll(
          new RegExp(
            `tollgate_records_total\\{collector="metrics",fate="${fate}"[^}]*\\} (\\d+)`,
            'g',
          ),
        ),
      ].reduce((sum, [, n]) => sum + Number(n), 0);
    assert.equal(count('kept') + count('dropped'), lines.length);
    const undefinedMaxima = lines.filter((text) => /\.max -1 |\.usage -\d/.test(text)).length;
    assert.ok(count('dropped') <= undefinedMaxima * 2 + 2, `${count('dropped')} dropped`);
  });

  await t.test('progress of Spark 3.1, 3.5, 4.0 and 4.1, every batch of every run', async () => {
    const batches = new Set<string>();
    for (const file of PROGRESS) {
      const answer = await tollgate.post('/v1/ingest/progress', sample(file), {
        'tollgate-project': 'real',
      });
      const body = (await answer.json()) as { quarantined: number };
      assert.equal(answer.status, 200);
      assert.equal(body.quarantined, 0, file);
      for (const text of sampleLines(file)) {
        const json = JSON.parse(text);
        const progress = json.progress ?? json;
        if (progress.batchId !== undefined) batches.add(`${progress.runId}/${progress.batchId}`);
      }
    }
    interface Series {
      series: { tags: { run: string }; points: [number, number][] }[];
    }
    const { series } = await tollgate.get<Series>(
      `/v1/projects/real/metrics?measurement=streaming_query&field=batch_id&step=0&limit=1000&${WIDE}`,
    );
    const stored = series.flatMap(({ tags, points }) =>
      points.map(([, batch]) => `${tags.run}/${batch}`),
    );
    assert.deepEqual([...new Set(stored)].sort(), [...batches].sort());
  });

  await t.test('event logs: executor time to a tenth of a second', async () => {
    interface Charges {
      charges: { role: string; application: string; containerMs: string }[];
      cursor: string | null;
    }
    const executorMs = async () => {
      const sums = new Map<string, number>();
      let cursor: string | null = '';
      while (cursor !== null) {
        const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page: Charges = await tollgate.get(
          `/v1/projects/real/charges?${WIDE}&limit=5000${more}`,
        );
        for (const { role, application, containerMs } of page.charges) {
          if (role !== 'executor') continue;
          sums.set(application, (sums.get(application) ?? 0) + Number(containerMs));
        }
        cursor = page.cursor;
      }
      return [...sums.values()].map((ms) => Math.round(ms / 100) * 100);
    };
    const expected = EVENT_LOGS.map((log) => log.executorMs);
    await tollgate.until(executorMs, (sums) => expected.every((ms) => sums.includes(ms)));
  });

  await t.test('a ResourceManager and a master: containers, nodes and load', async () => {
    interface Clusters {
      clusters: {
        id: string;
        nodes: number;
        load: {
          allocated: { cores: number; memoryMib: number };
          capacity: { cores: number };
        } | null;
      }[];
    }
    const { clusters } = await tollgate.until(
      () => tollgate.get<Clusters>('/v1/clusters'),
      (answer) => answer.clusters.filter(({ load }) => load !== null).length >= 2,
    );
    const metrics = JSON.parse(sample('yarn/metrics.json')).clusterMetrics;
    const yarn = clusters.find(({ id }) => id === 'yarn');
    assert.equal(yarn?.load?.allocated.cores, metrics.allocatedVirtualCores);
    assert.equal(yarn?.load?.allocated.memoryMib, metrics.allocatedMB);
    assert.equal(yarn?.load?.capacity.cores, metrics.totalVirtualCores);
    assert.equal(yarn?.nodes, 1);
    const lab = clusters.find(({ id }) => id === 'lab');
    assert.deepEqual([lab?.load?.allocated.cores, lab?.load?.capacity.cores], [2, 2]);
    interface Applications {
      applications: { id: string; cluster: string; user: string; containers: { total: number } }[];
    }
    const { applications } = await tollgate.until(
      () => tollgate.get<Applications>('/v1/projects/real/applications?limit=500'),
      (answer) => answer.applications.some(({ cluster }) => cluster === 'yarn'),
    );
    const running = applications.find(({ cluster }) => cluster === 'yarn');
    assert.equal(running?.id, 'application_1795247888953_0001');
    assert.equal(running?.user, 'alice');
    assert.equal(running?.containers.total, 2);
  });

  await t.test('nothing of it was refused', async () => {
    interface Counts {
      counts: { collector: string; reason: string; records: number }[];
    }
    assert.deepEqual((await tollgate.get<Counts>('/v1/quarantine')).counts, []);
  });
});
