import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, temporaryFolder } from '../support/running-tollgate.ts';
import { installSpark, runSpark, SPARK_VERSIONS, type SparkHome } from './servers/spark.ts';
import { LineCollector } from './spark/line-collector.ts';
import { startSilentListener } from './spark/silent-listener.ts';

const LAYOUTS = resolve(import.meta.dirname, '../../services/spark-agent/log4j2');
const TASKS = 2_500;
/** 7 MB of log: more than the kernels of both ends hold for a connection that nobody reads. */
const TASKS_TO_HANG = 6_000;
/** Lines that wait in memory; few, so that they fill in seconds. */
const QUEUE = 500;
/** Lines that the kernels hold of a connection, of 250 bytes or more: 4 MB of the sender's. */
const IN_KERNEL = 17_000;

interface Shipped {
  readonly seconds: number;
  readonly tookMs: number;
  /** Events on the console. */
  readonly said: number;
  /** As the file of lost lines has it. */
  readonly lost: number;
}

/** The count in the last line. */
function countLost(file: string): number {
  if (!existsSync(file)) return 0;
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return Number(/Tollgate: (\d+) lines/.exec(lines.at(-1) ?? '')?.[1]);
}

for (const version of SPARK_VERSIONS) {
  describe(`a collector that fails, and Spark ${version}`, { timeout: 600_000 }, () => {
    const resources = new AsyncDisposableStack();
    let folder = '';
    let spark: SparkHome;
    let usual: Shipped;

    const run = async (port: number | undefined, tasks = TASKS): Promise<Shipped> => {
      const layout = join(LAYOUTS, `tcp-spark${version.slice(0, 1)}.properties`);
      const lostFile = join(folder, `lost-${port}.log`);
      const options = [
        `-Dlog4j2.configurationFile=file:${layout}`,
        `-Dtollgate.log.port=${port}`,
        `-Dtollgate.log.queue=${QUEUE}`,
        '-Dtollgate.log.reconnectMs=500',
        `-Dtollgate.log.lost=${lostFile}`,
      ];
      const { exitCode, stdout, stderr, tookMs } = await runSpark(spark, {
        app: join(import.meta.dirname, 'spark/talking.py'),
        args: [`${tasks}`],
        conf: {
          'spark.master': 'local[2]',
          ...(port === undefined ? {} : { 'spark.driver.extraJavaOptions': options.join(' ') }),
        },
      });
      assert.equal(exitCode, 0, stderr.slice(-4_000));
      assert.match(stdout, new RegExp(`^RESULT ${(tasks * (tasks - 1)) / 2}$`, 'm'));
      return {
        seconds: Number(/^SECONDS (\S+)$/m.exec(stdout)?.[1]),
        tookMs,
        said: stderr.match(/^\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d [A-Z]+ \S+: /gm)?.length ?? 0,
        lost: countLost(lostFile),
      };
    };

    const say = ({ seconds, tookMs, said, lost }: Shipped): string =>
      `${seconds.toFixed(1)} s of job, ${tookMs} ms in all, ${said} lines said, ${lost} counted as lost`;

    /** Noise of a shared machine is far below this; a thread that waits for a collector is above. */
    const isAsUsual = (shipped: Shipped, tasks = TASKS): void => {
      const times = (3 * tasks) / TASKS;
      assert.ok(
        shipped.seconds < times * usual.seconds,
        `${shipped.seconds} s, not ${usual.seconds}`,
      );
      assert.ok(shipped.tookMs < times * usual.tookMs, `${shipped.tookMs} ms, not ${usual.tookMs}`);
    };

    before(async () => {
      folder = resources.use(await temporaryFolder()).path;
      spark = await installSpark(version);
      usual = await run(undefined);
    });
    after(() => resources.disposeAsync());

    test('one that reads gets every line', async (t) => {
      await using collector = await LineCollector.start();
      const shipped = await run(collector.port);
      t.diagnostic(`nothing shipped: ${say(usual)}`);
      t.diagnostic(`${say(shipped)}, ${collector.lines} received`);
      assert.equal(collector.lines + shipped.lost, shipped.said);
      isAsUsual(shipped);
    });

    test('one that is not there: the job as ever, each line counted', async (t) => {
      const shipped = await run(await freePort());
      t.diagnostic(say(shipped));
      assert.equal(shipped.lost, shipped.said);
      isAsUsual(shipped);
    });

    test('one that takes connections and never reads: the job as ever, and it ends', async (t) => {
      await using collector = await startSilentListener();
      const shipped = await run(collector.port, TASKS_TO_HANG);
      t.diagnostic(say(shipped));
      assert.ok(collector.taken() > 0);
      assert.ok(shipped.lost > 0);
      assert.ok(shipped.lost >= shipped.said - QUEUE - IN_KERNEL, `${shipped.lost}`);
      assert.ok(shipped.lost <= shipped.said);
      isAsUsual(shipped, TASKS_TO_HANG);
    });

    test('one that dies in the middle and comes back gets lines again', async (t) => {
      const over = new AbortController();
      const first = await LineCollector.start();
      const { port } = first;
      const running = run(port).finally(() => over.abort());
      await first.reached(500, over.signal);
      await first[Symbol.asyncDispose]();
      const received = first.lines;
      await new Promise((next) => setTimeout(next, 200));
      await using second = await LineCollector.start(port);
      const shipped = await running;
      const missing = shipped.said - shipped.lost - received - second.lines;
      t.diagnostic(
        `${say(shipped)}; ${received} received, then ${second.lines}; ${missing} died with the connection`,
      );
      assert.ok(received >= 500 && second.lines > 0 && shipped.lost > 0);
      assert.ok(missing >= 0 && missing < IN_KERNEL, `${missing}`);
      isAsUsual(shipped);
    });
  });
}
