import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { freePort, RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import {
  installSpark,
  runSpark,
  SPARK_VERSIONS,
  type SparkHome,
  type SparkRun,
} from './servers/spark.ts';
import { printedProgress } from './spark/spark-said.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PROJECT = 'orders';
const BATCHES = 4;

interface Metrics {
  series: { tags: Record<string, string>; points: [number, number][] }[];
}

for (const version of SPARK_VERSIONS) {
  describe(`PySpark ${version} without the agent`, { timeout: 600_000 }, () => {
    const resources = new AsyncDisposableStack();
    let folder = '';
    let spark: SparkHome;
    let tollgate: RunningTollgate;
    let tokenFile = '';
    let reader = '';
    let usual: SparkRun;

    const makeToken = async (...scope: string[]): Promise<string> => {
      const main = join(ROOT, 'services/cli/main.ts');
      const create = [main, 'token', 'create', '--data', join(folder, 'data'), '--json', ...scope];
      const { stdout } = await promisify(execFile)(process.execPath, create);
      return (JSON.parse(stdout) as { token: string }).token;
    };

    const run = async (name: string, url: string, batches = BATCHES): Promise<SparkRun> => {
      const ran = await runSpark(spark, {
        app: join(import.meta.dirname, 'spark/listening.py'),
        args: [url, PROJECT, tokenFile, join(folder, `checkpoints-${name}`), `${batches}`],
        conf: {
          'spark.master': 'local[2]',
          'spark.sql.shuffle.partitions': '2',
          'spark.submit.pyFiles': join(ROOT, 'services/spark-agent/pyspark/tollgate_progress.py'),
        },
      });
      assert.equal(ran.exitCode, 0, ran.stderr.slice(-4_000));
      assert.match(ran.stdout, /^DROPPED 0$/m);
      return ran;
    };

    const seconds = ({ stdout }: SparkRun): number => Number(/^SECONDS (\S+)$/m.exec(stdout)?.[1]);

    /** Lines of the listener; spark-submit prints what Python writes to stderr on its stdout. */
    const said = ({ stdout }: SparkRun): string[] =>
      stdout.split('\n').filter((line) => line.startsWith('WARNING:tollgate.progress:'));

    const points = async (field: string): Promise<Map<string, number>> => {
      const wide = 'from=2010-01-01T00:00:00Z&until=2100-01-01T00:00:00Z&limit=1000&step=0';
      const path = `/v1/projects/${PROJECT}/metrics?${wide}&measurement=streaming_query&field=${field}`;
      const headers = { authorization: `Bearer ${reader}` };
      const answer = await fetch(`${tollgate.url}${path}`, { headers });
      const { series = [] } = (await answer.json()) as Partial<Metrics>;
      return new Map(
        series.flatMap(({ tags, points: all }) =>
          all.map(([at, value]) => {
            const key = `${tags['application']} ${tags['query']} ${tags['run']} ${at}`;
            return [key, value] as const;
          }),
        ),
      );
    };

    /** What Tollgate has of the application is what Spark printed. */
    const isWhole = async (ran: SparkRun): Promise<number> => {
      const application = /^APPLICATION (\S+)$/m.exec(ran.stdout)?.[1];
      const own = (all: Map<string, number>) =>
        [...all].filter(([key]) => key.startsWith(`${application} `));
      const expected = (read: (one: ReturnType<typeof printedProgress>[number]) => number) =>
        printedProgress(ran.stdout).map((one) => {
          const end = Date.parse(one.timestamp) + (one.durationMs['triggerExecution'] ?? 0);
          return [`${application} ${one.id} ${one.runId} ${end}`, read(one)];
        });
      const batches = expected(({ batchId }) => batchId);
      await tollgate.until(
        () => points('batch_id'),
        (all) => own(all).length >= batches.length,
      );
      assert.deepEqual(own(await points('batch_id')).sort(), batches.sort());
      const rows = expected(({ numInputRows }) => numInputRows);
      assert.deepEqual(own(await points('input_rows')).sort(), rows.sort());
      return batches.length;
    };

    before(async () => {
      folder = resources.use(await temporaryFolder()).path;
      spark = await installSpark(version);
      tollgate = resources.use(
        await RunningTollgate.start(folder, {
          api: { port: 0, requireToken: true },
          metrics: { graphite: [] },
        }),
      );
      tokenFile = join(folder, 'token');
      await writeFile(tokenFile, await makeToken('--scope', 'ingest', '--project', PROJECT));
      reader = await makeToken('--scope', 'read');
    });
    after(() => resources.disposeAsync());

    test('every progress that Spark printed is there, with its rows', async (t) => {
      usual = await run('there', tollgate.url);
      assert.deepEqual(said(usual), []);
      const count = await isWhole(usual);
      assert.ok(count >= 2 * BATCHES, `${count} progress events`);
      t.diagnostic(`${count} progress events, ${BATCHES} batches after ${seconds(usual)} s`);
    });

    test('a Tollgate that hangs, and one that is away, delay no query and no end', async (t) => {
      const silent = createServer(() => undefined).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const { port } = silent.address() as AddressInfo;
      const hanging = await run('hanging', `http://127.0.0.1:${port}`);
      silent.closeAllConnections();
      silent.close();
      const away = await run('away', `http://127.0.0.1:${await freePort()}`);
      assert.equal(said(away).length, 1, said(away).join('\n'));
      assert.match(said(away)[0] ?? '', /nothing could be sent: .*refused/);
      for (const ran of [hanging, away]) {
        t.diagnostic(`${BATCHES} batches after ${seconds(ran)} s, ${ran.tookMs} ms in all`);
        assert.ok(seconds(ran) < 3 * seconds(usual), `${seconds(ran)} s`);
        assert.ok(ran.tookMs < 3 * usual.tookMs, `${ran.tookMs} ms`);
      }
    });

    test('a Tollgate that comes back gets what waited', async () => {
      const dataFolder = join(folder, 'data');
      const port = Number(new URL(tollgate.url).port);
      await tollgate.kill();
      // So many that it is still running long after, since attempts come seconds apart by then.
      const running = run('back', tollgate.url, 25);
      // It is missed by the first events: these come 5 s after the start at the earliest.
      await new Promise((next) => setTimeout(next, 9_000));
      const api = { port, requireToken: true };
      const config = { dataFolder, api, metrics: { graphite: [] } };
      tollgate = resources.use(await RunningTollgate.start(folder, config));
      const ran = await running;
      await isWhole(ran);
    });

    test('a refused token is one line, and never printed', async () => {
      const token = `tg_${'0'.repeat(16)}_${'A'.repeat(43)}`;
      await writeFile(tokenFile, token);
      const refused = await run('refused', tollgate.url);
      assert.equal(said(refused).length, 1, said(refused).join('\n'));
      assert.match(said(refused)[0] ?? '', /Tollgate answers 401; lines wait/);
      assert.ok(!`${refused.stdout}${refused.stderr}`.includes('A'.repeat(43)));
    });
  });
}
