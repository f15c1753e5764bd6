import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
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
const BATCHES = 3;
/** A run takes a tenth of it on a machine that does nothing else. */
const RUNS_WITHIN_MS = 400_000;
/** A free port might become the gateway's of PySpark itself. */
const NOBODY = 'http://127.0.0.1:1';
const WRONG_SECRET = 'A'.repeat(43);

interface Metrics {
  series: { tags: Record<string, string>; points: [number, number][] }[];
}

for (const version of SPARK_VERSIONS) {
  describe(`PySpark ${version} without the agent`, { timeout: 900_000 }, () => {
    const resources = new AsyncDisposableStack();
    let folder = '';
    let spark: SparkHome;
    let tollgate: RunningTollgate;
    let tokenFile = '';
    let wrongTokenFile = '';
    let reader = '';
    let usual: SparkRun;

    const makeToken = async (...scope: string[]): Promise<string> => {
      const main = join(ROOT, 'services/cli/main.ts');
      const create = [main, 'token', 'create', '--data', join(folder, 'data'), '--json', ...scope];
      const { stdout } = await promisify(execFile)(process.execPath, create);
      return (JSON.parse(stdout) as { token: string }).token;
    };

    const checkpointsOf = (name: string): string => join(folder, `checkpoints-${name}`);
    const mayEnd = (name: string): string => join(folder, `may-end-${name}`);

    /** @param listeners each an address and the file of its token */
    const run = async (name: string, listeners: readonly string[][]): Promise<SparkRun> => {
      const ran = await runSpark(spark, {
        app: join(import.meta.dirname, 'spark/listening.py'),
        timeoutMs: RUNS_WITHIN_MS,
        args: [PROJECT, checkpointsOf(name), `${BATCHES}`, mayEnd(name), ...listeners.flat()],
        conf: {
          'spark.master': 'local[2]',
          'spark.sql.shuffle.partitions': '2',
          'spark.submit.pyFiles': join(ROOT, 'services/spark-agent/pyspark/tollgate_progress.py'),
        },
      });
      assert.equal(ran.exitCode, 0, ran.stderr.slice(-4_000));
      assert.match(ran.stdout, /^DROPPED 0( 0)*$/m);
      return ran;
    };

    const seconds = ({ stdout }: SparkRun, of: 'SECONDS' | 'ENDED' = 'SECONDS'): number =>
      Number(new RegExp(`^${of} (\\S+)$`, 'm').exec(stdout)?.[1]);

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
      wrongTokenFile = join(folder, 'wrong-token');
      await writeFile(wrongTokenFile, `tg_${'0'.repeat(16)}_${WRONG_SECRET}`);
      reader = await makeToken('--scope', 'read');
    });
    after(() => resources.disposeAsync());

    test('every progress that Spark printed is there, with its rows; a refused token is one line, and never printed', async (t) => {
      await writeFile(mayEnd('there'), '');
      usual = await run('there', [
        [tollgate.url, tokenFile],
        [tollgate.url, wrongTokenFile],
      ]);
      assert.equal(said(usual).length, 1, said(usual).join('\n'));
      assert.match(said(usual)[0] ?? '', /Tollgate answers 401; lines wait/);
      assert.ok(!`${usual.stdout}${usual.stderr}`.includes(WRONG_SECRET));
      const count = await isWhole(usual);
      assert.ok(count >= 2 * BATCHES, `${count} progress events`);
      t.diagnostic(`${count} progress events, ${BATCHES} batches after ${seconds(usual)} s`);
    });

    test('a Tollgate that hangs and one that is away delay no query and no end; one that comes back gets what waited', async (t) => {
      const silent = createServer(() => undefined).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const { port: silentPort } = silent.address() as AddressInfo;
      const port = Number(new URL(tollgate.url).port);
      const before = await points('batch_id');
      await tollgate.kill();
      const running = run('back', [
        [`http://127.0.0.1:${silentPort}`, tokenFile],
        [NOBODY, tokenFile],
        [tollgate.url, tokenFile],
      ]);
      // By then the first events have been told to nobody.
      const commits = join(checkpointsOf('back'), '*/commits/1');
      while (globSync(commits).length < 2) await new Promise((next) => setTimeout(next, 100));
      const api = { port, requireToken: true };
      const config = { dataFolder: join(folder, 'data'), api, metrics: { graphite: [] } };
      tollgate = resources.use(await RunningTollgate.start(folder, config));
      const all = () => points('batch_id');
      await tollgate.until(all, ({ size }) => size > before.size, 120_000);
      await writeFile(mayEnd('back'), '');
      const ran = await running;
      t.diagnostic(`${BATCHES} batches after ${seconds(ran)} s, not ${seconds(usual)} s`);
      const [end, usualEnd] = [seconds(ran, 'ENDED'), seconds(usual, 'ENDED')];
      t.diagnostic(`queries and session stopped in ${end} s, not ${usualEnd} s`);
      silent.closeAllConnections();
      silent.close();
      await isWhole(ran);
      const lines = said(ran).join('\n');
      assert.equal(lines.match(/nothing could be sent: .*refused/g)?.length, 2, lines);
      assert.equal(lines.match(/Tollgate is reached again/g)?.length, 1, lines);
      // A listener that waited for its answer would hold each batch for 10 s.
      assert.ok(seconds(ran) < 3 * seconds(usual) + 10, `${seconds(ran)} s`);
      assert.ok(end < 3 * usualEnd + 10, `${end} s`);
    });
  });
}
