import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { installSpark, runSpark, type SparkHome, type SparkRun } from './servers/spark.ts';
import { buildAgent } from './servers/spark-agent.ts';
import { installSparkOnScala213 } from './servers/spark-scala213.ts';
import { startStandalone } from './servers/spark-standalone.ts';
import {
  chargedSums,
  isCharged,
  saidSums,
  seriesOf,
  storedProgress,
} from './spark/charged-sums.ts';
import {
  eventLogLives,
  eventLogStorage,
  printedProgress,
  type SaidLives,
} from './spark/spark-said.ts';

const CLUSTER = 'lab';
const PROJECT = 'orders';
const ARRIVES_WITHIN_MS = 60_000;
const here = (file: string): string => join(import.meta.dirname, 'spark', file);

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

/** Newest first: the one jar is compiled against it. */
const SPARKS: readonly (readonly [string, () => Promise<SparkHome>])[] = [
  ['4.1.2', () => installSpark('4.1.2')],
  ['4.0.5', () => installSpark('4.0.5')],
  ['3.5.8 on Scala 2.12', () => installSpark('3.5.8')],
  ['3.5.8 on Scala 2.13', installSparkOnScala213],
];

for (const [name, install] of SPARKS) {
  /** Of each of two queries, and the short way in the older versions. */
  const batches = name === SPARKS[0]?.[0] ? 4 : 1;
  describe(`the agent in Spark ${name}`, { timeout: 600_000 }, () => {
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
      spark = await install();
      const { jar } = await buildAgent(await installSpark(), folder);
      tollgate = resources.use(
        await RunningTollgate.start(folder, {
          containers: { clusters: [{ id: CLUSTER }] },
          metrics: { graphite: [] },
          metering: { settleIntervalMs: 500 },
        }),
      );
      const conf = agentConf(jar, tollgate.url, folder);
      await using cluster = await startStandalone(spark, folder);
      [batch, stream] = await Promise.all([
        runSpark(spark, {
          app: here('batch.py'),
          args: ['200000', '2'],
          conf: {
            ...conf,
            'spark.master': cluster.master,
            'spark.executor.cores': '1',
            'spark.cores.max': '2',
            'spark.executor.memory': '512m',
          },
        }),
        runSpark(spark, {
          app: here('streaming.py'),
          args: ['none:', join(folder, 'checkpoints'), `${batches}`],
          conf: { ...conf, 'spark.master': 'local[2]' },
        }),
      ]);
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
      const sums = () => chargedSums(tollgate, PROJECT);
      const expected = saidSums(lives);
      assert.equal(expected.size, 4, 'two executors and two drivers');
      const found = await tollgate
        .until(sums, (all) => isCharged(all, expected), ARRIVES_WITHIN_MS)
        .catch(sums);
      assert.deepEqual([...found].sort(), [...expected].sort());
      for (const [key, { ms }] of expected) t.diagnostic(`${key}: ${ms} ms`);
    });

    test('applications have their names and tags, and have ended', async () => {
      const { applications } = await tollgate.get<{
        applications: { name: string; state: string; coverage: string; tags: object }[];
      }>(`/v1/projects/${PROJECT}/applications?limit=100`);
      applications.sort((a, b) => (a.name < b.name ? -1 : 1));
      assert.deepEqual(
        applications.map(({ name, state, coverage, tags }) => ({ name, state, coverage, tags })),
        ['orders nightly', 'orders stream'].map((name) => ({
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
      assert.ok(expected.length >= 2 * batches, `${expected.length} progress events`);
      const found = await storedProgress(tollgate, PROJECT);
      assert.deepEqual(found.sort(), expected.sort());
      t.diagnostic(`${found.length} progress events`);
    });

    test('jobs and stages are counted', async () => {
      const where = { project: PROJECT, measurement: 'spark_activity', field: 'failedJobs' };
      const series = await seriesOf(tollgate, where);
      const ofBatch = series.filter(({ tags }) => tags['application']?.startsWith('app-'));
      assert.deepEqual(
        ofBatch.map(({ points }) => points.at(-1)?.[1]),
        [1],
        'the batch has one job that fails',
      );
    });

    test('executors’ storage is told while they have it', async (t) => {
      const where = { project: PROJECT, measurement: 'spark_storage', field: 'maxOnHeapBytes' };
      const series = await seriesOf(tollgate, where);
      const found = series.flatMap(({ tags, points }) =>
        points.map(([at, bytes]) => `${tags['application']} ${tags['executor']} ${at} ${bytes}`),
      );
      const expected = await eventLogStorage(join(folder, 'events'));
      assert.deepEqual(found.sort(), expected.sort());
      t.diagnostic(found.join('; '));
      const comings = found.filter((point) => !point.endsWith(' 0'));
      assert.equal(comings.length, 4, 'two executors and two drivers');
    });

    test('nothing of it was refused', async () => {
      const { counts } = await tollgate.get<{ counts: object[] }>('/v1/quarantine');
      assert.deepEqual(counts, []);
    });
  });
}
