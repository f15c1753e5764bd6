import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { installSpark, runSpark, type SparkHome, type SparkRun } from './servers/spark.ts';
import { buildAgent } from './servers/spark-agent.ts';

const CLUSTER = 'lab';
const PROJECT = 'orders';

interface Stop {
  id: string;
  state: string;
  clean: boolean | null;
  message: string;
}
interface Effect {
  query: string;
  batch: number;
  first: number;
}

/** What the batches left behind, in order. */
function effectsOf(file: string): Effect[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [query = '', batch, first] = line.split(' ');
    return { query, batch: Number(batch), first: Number(first) };
  });
}

describe('a graceful stop of a streaming application', { timeout: 900_000 }, () => {
  const resources = new AsyncDisposableStack();
  let folder = '';
  let effects = '';
  let jar = '';
  let spark: SparkHome;
  let tollgate: RunningTollgate;

  before(async () => {
    folder = resources.use(await temporaryFolder()).path;
    effects = join(folder, 'effects');
    spark = await installSpark();
    ({ jar } = await buildAgent(spark, folder));
    tollgate = resources.use(
      await RunningTollgate.start(folder, {
        containers: { clusters: [{ id: CLUSTER }] },
        metrics: { graphite: [] },
        metering: { settleIntervalMs: 500 },
      }),
    );
  });
  after(() => resources.disposeAsync());

  const stopsOf = (application: string) =>
    `/v1/projects/${PROJECT}/applications/${CLUSTER}/${application}/stops`;

  const order = async (application: string, body: object): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await tollgate.post(stopsOf(application), JSON.stringify(body), headers);
    assert.equal(answer.status, 202, await answer.text());
  };

  /** The order's state once the agent has said its last word. */
  const outcome = async (application: string, id: string): Promise<Stop> => {
    const { stops } = await tollgate.until(
      () => tollgate.get<{ stops: Stop[] }>(stopsOf(application)),
      ({ stops: all }) => /stopped|refused/.test(all.find((stop) => stop.id === id)?.state ?? ''),
      120_000,
    );
    return stops.find((stop) => stop.id === id) ?? assert.fail('it was there a moment ago');
  };

  /** Starts the application, lets it do some batches, and stops it as `stop` says. */
  const run = async (
    stop: (application: string) => Promise<void>,
    batches: number,
  ): Promise<SparkRun> => {
    const before = effectsOf(effects).length;
    const running = runSpark(spark, {
      app: join(import.meta.dirname, 'spark/endless.py'),
      args: [join(folder, 'checkpoints'), effects],
      conf: {
        'spark.master': 'local[2]',
        'spark.sql.shuffle.partitions': '1',
        'spark.jars': jar,
        'spark.plugins': 'tollgate.spark.TollgatePlugin',
        'spark.tollgate.url': tollgate.url,
        'spark.tollgate.cluster': CLUSTER,
        'spark.tollgate.project': PROJECT,
        'spark.tollgate.heartbeat': '500ms',
        'spark.tollgate.spool.dir': join(folder, 'spool'),
      },
    });
    type Listed = { applications: { id: string; state: string }[] };
    const { applications } = await tollgate.until(
      async () => {
        const path = `/v1/projects/${PROJECT}/applications?state=running`;
        return tollgate.get<Listed>(path).catch((): Listed => ({ applications: [] }));
      },
      (page) => page.applications.length > 0 && effectsOf(effects).length >= before + batches,
      180_000,
    );
    await stop(applications[0]?.id ?? '');
    return await running;
  };

  test('it ends its queries after their batches, says whether it was clean, and loses or repeats none', async (t) => {
    const clean: boolean[] = [];
    const first = await run(async (application) => {
      await order(application, { id: 'a', withinMs: 60_000 });
      const refused = await outcome(application, 'a');
      assert.deepEqual([refused.state, refused.clean], ['refused', null]);
      assert.match(refused.message, /checkpoint file:\S+ is not on durable storage/);
      const at = performance.now();
      await order(application, { id: 'b', withinMs: 60_000, force: true });
      const stopped = await outcome(application, 'b');
      t.diagnostic(`${Math.round(performance.now() - at)} ms: ${stopped.message}`);
      assert.equal(stopped.state, 'stopped');
      assert.match(stopped.message, /left after batch \d+/);
      assert.match(stopped.message, /right after batch \d+/);
      clean.push(stopped.clean === true);
    }, 6);
    assert.equal(first.exitCode, 0, first.stderr.slice(-4_000));
    assert.match(first.stdout, /ENDED/);
    const second = await run(async (application) => {
      await order(application, { id: 'c', withinMs: 60_000, force: true });
      clean.push((await outcome(application, 'c')).clean === true);
    }, 6);
    assert.equal(second.exitCode, 0, second.stderr.slice(-4_000));
    const all = effectsOf(effects);
    for (const query of ['left', 'right']) {
      const batches = all.filter((one) => one.query === query).map(({ batch }) => batch);
      t.diagnostic(`${query}: ${batches.length} batches`);
      const expected = Array.from({ length: batches.length }, (_none, batch) => batch);
      assert.deepEqual(batches, expected, `${query} loses and repeats no batch`);
    }
    assert.deepEqual(clean, [true, true]);
  });
});
