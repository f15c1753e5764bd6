import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import {
  installSpark,
  runSpark,
  SPARK_VERSIONS,
  type SparkHome,
  type SparkRun,
} from './servers/spark.ts';
import { buildAgent } from './servers/spark-agent.ts';
import { startStandalone } from './servers/spark-standalone.ts';
import { eventLogLives, printedProgress, type SaidLives } from './spark/spark-said.ts';

const CLUSTER = 'lab';
const PROJECT = 'orders';
const WIDE = 'from=2010-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';
const ARRIVES_WITHIN_MS = 60_000;
const here = (file: string): string => join(import.meta.dirname, 'spark', file);

interface Charges {
  charges: {
    application: string;
    container: string;
    containerMs: string;
    millicoreMs: string;
    mibMs: string;
    coverage: string;
  }[];
}
interface Metrics {
  series: { tags: Record<string, string>; points: [number, number][] }[];
}

/** A container as charged: its time, cores and memory over that time. */
type Sums = Map<string, { ms: bigint; millicoreMs: bigint; mibMs: bigint }>;

/** The three lines that a platform team adds, and what a test needs beside them. */
function agentConf(jar: string, url: string, folder: string): Record<string, string> {
  return {
    'spark.jars': jar,
    'spark.plugins': 'tollgate.spark.TollgatePlugin',
    'spark.tollgate.url': url,
    'spark.tollgate.cluster': CLUSTER,
    'spark.tollgate.project': PROJECT,
    'spark.tollgate.tag.Stage': 'test',
    'spark.tollgate.spool.dir': join(folder, 'spool'),
    'spark.tollgate.heartbeat': '1s',
    'spark.sql.shuffle.partitions': '2',
    'spark.eventLog.enabled': 'true',
    'spark.eventLog.dir': `file://${join(folder, 'events')}`,
    'spark.eventLog.compress': 'true',
    'spark.eventLog.compression.codec': 'zstd',
    'spark.eventLog.rolling.enabled': 'true',
  };
}

function checkRun({ exitCode, stdout, stderr }: SparkRun): void {
  assert.equal(exitCode, 0, `${stdout.slice(-2_000)}${stderr.slice(-6_000)}`);
}

for (const version of SPARK_VERSIONS) {
  describe(`the agent in Spark ${version}`, { timeout: 600_000 }, () => {
    const resources = new AsyncDisposableStack();
    let folder = '';
    let spark: SparkHome;
    let tollgate: RunningTollgate;
    let batch: SparkRun;
    let stream: SparkRun;
    let lives: SaidLives[];

    before(async () => {
      folder = resources.use(await temporaryFolder()).path;
      await mkdir(join(folder, 'events'));
      spark = await installSpark(version);
      // One jar for all: it is compiled against the newest.
      const { jar } = await buildAgent(await installSpark(SPARK_VERSIONS[0]), folder);
      tollgate = resources.use(
        await RunningTollgate.start(folder, {
          containers: { clusters: [{ id: CLUSTER }] },
          metrics: { graphite: [] },
          metering: { settleIntervalMs: 500 },
        }),
      );
      const conf = agentConf(jar, tollgate.url, folder);
      {
        await using cluster = await startStandalone(spark, folder);
        batch = await runSpark(spark, {
          app: here('batch.py'),
          args: ['200000', '2'],
          conf: {
            ...conf,
            'spark.master': cluster.master,
            'spark.executor.cores': '1',
            'spark.cores.max': '2',
            'spark.executor.memory': '512m',
          },
        });
      }
      stream = await runSpark(spark, {
        app: here('streaming.py'),
        args: ['none:', join(folder, 'checkpoints'), '4'],
        conf: { ...conf, 'spark.master': 'local[2]' },
      });
      lives = await eventLogLives(join(folder, 'events'));
    });
    after(() => resources.disposeAsync());

    test('disturbs no application, and says nothing but that it is there', (t) => {
      checkRun(batch);
      checkRun(stream);
      t.diagnostic(`batch ${batch.tookMs} ms, streaming ${stream.tookMs} ms`);
      for (const { stderr } of [batch, stream]) {
        const said = stderr.split('\n').filter((line) => line.includes('Tollgate: '));
        assert.equal(said.length, 1, said.join('\n'));
        assert.match(said[0] ?? '', /sends to http/);
      }
    });

    test('every container is charged for the time that the event log tells', async (t) => {
      const sums = async (): Promise<Sums> => {
        const found: Sums = new Map();
        const path = `/v1/projects/${PROJECT}/charges?${WIDE}&limit=1000`;
        for (const charge of (await tollgate.get<Charges>(path)).charges) {
          const key = `${charge.application} ${charge.container.split('/').at(-1)}`;
          const sum = found.get(key) ?? { ms: 0n, millicoreMs: 0n, mibMs: 0n };
          found.set(key, {
            ms: sum.ms + BigInt(charge.containerMs),
            millicoreMs: sum.millicoreMs + BigInt(charge.millicoreMs),
            mibMs: sum.mibMs + BigInt(charge.mibMs),
          });
        }
        return found;
      };
      const expected: Sums = new Map();
      for (const { application, start, end, executors } of lives) {
        const isLocal = executors.has('driver');
        const all = isLocal ? [...executors] : [...executors, ['driver', { start, end }] as const];
        for (const [id, life] of all) {
          const ms = BigInt(life.end - life.start);
          const mib = id === 'driver' ? 700n : 512n;
          const cores = isLocal ? 2_000n : 1_000n;
          expected.set(`${application} ${id}`, { ms, millicoreMs: ms * cores, mibMs: ms * mib });
        }
      }
      assert.equal(expected.size, 4, 'two executors and two drivers');
      const isSame = (found: Sums): boolean =>
        [...expected].every(([key, { ms }]) => found.get(key)?.ms === ms);
      const found = await tollgate.until(sums, isSame, ARRIVES_WITHIN_MS).catch(sums);
      assert.deepEqual([...found].sort(), [...expected].sort());
      for (const [key, { ms }] of expected) t.diagnostic(`${key}: ${ms} ms`);
    });

    test('applications have their names and tags, and have ended', async () => {
      const { applications } = await tollgate.get<{
        applications: { name: string; state: string; coverage: string; tags: object }[];
      }>(`/v1/projects/${PROJECT}/applications?limit=100`);
      assert.deepEqual(
        applications.map(({ name, state, coverage, tags }) => ({ name, state, coverage, tags })),
        ['orders stream', 'orders nightly'].map((name) => ({
          name,
          state: 'ended',
          coverage: 'exact',
          tags: { Stage: 'test' },
        })),
      );
    });

    test('every progress that Spark printed is there, with its rows', async (t) => {
      const printed = printedProgress(stream.stdout);
      const expected = printed.map(({ id, runId, batchId, numInputRows }) => {
        return `${id} ${runId} ${batchId} ${numInputRows}`;
      });
      assert.ok(expected.length >= 8, `${expected.length} progress events`);
      const points = async (field: string) => {
        const path = `/v1/projects/${PROJECT}/metrics?${WIDE}&limit=1000&step=0`;
        const { series } = await tollgate.get<Metrics>(
          `${path}&measurement=streaming_query&field=${field}`,
        );
        return new Map(
          series.flatMap(({ tags, points: all }) =>
            all.map(([at, value]) => [`${tags['query']} ${tags['run']} ${at}`, value] as const),
          ),
        );
      };
      const [batches, rows] = [await points('batch_id'), await points('input_rows')];
      const found = [...batches].map(([key, id]) => {
        return `${key.split(' ').slice(0, 2).join(' ')} ${id} ${rows.get(key)}`;
      });
      assert.deepEqual(found.sort(), expected.sort());
      t.diagnostic(`${found.length} progress events`);
    });

    test('jobs and stages are counted', async () => {
      const path = `/v1/projects/${PROJECT}/metrics?${WIDE}&limit=1000&step=0`;
      const { series } = await tollgate.get<Metrics>(
        `${path}&measurement=spark_activity&field=failedJobs`,
      );
      const ofBatch = series.filter(({ tags }) => tags['application']?.startsWith('app-'));
      assert.deepEqual(
        ofBatch.map(({ points }) => points.at(-1)?.[1]),
        [1],
        'the batch has one job that fails',
      );
    });

    test('nothing of it was refused', async () => {
      const { counts } = await tollgate.get<{ counts: object[] }>('/v1/quarantine');
      assert.deepEqual(counts, []);
    });
  });
}
