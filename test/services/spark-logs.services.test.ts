import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { installSpark, runSpark, SPARK_VERSIONS, type SparkHome } from './servers/spark.ts';
import { buildAgent } from './servers/spark-agent.ts';
import { type RunningStandalone, startStandalone } from './servers/spark-standalone.ts';
import { LogArrivals } from './spark/log-arrivals.ts';
import { patternEvents, type SaidLog } from './spark/spark-said.ts';

const LAYOUTS = resolve(import.meta.dirname, '../../services/spark-agent/log4j2');
const WIDE = 'from=2010-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';
const ARRIVES_WITHIN_MS = 60_000;
/** Stated: 2 s from a line's time until it is found; three times that for a busy machine. */
const FOUND_WITHIN_MS = 6_000;
/** What the worker and the JVM print beside the log. */
const NO_LOG = /^(Spark Executor Command: |=+$|WARNING: |Java HotSpot|OpenJDK )/;

type Log = SaidLog & { application: string; container: string; thread: string; marks: string[] };
interface Page {
  logs: Log[];
  cursor: string | null;
}

/** What one JVM wrote to its console: the truth that shipped lines are compared with. */
interface Console {
  readonly container: string;
  readonly heads: string[];
  readonly below: string[];
}

function readConsole(container: string, file: string): Console {
  const { events, below } = patternEvents(file);
  const heads = events.map(({ level, logger, message }) => `${level} ${logger}: ${message}`);
  return { container, heads, below: below.filter((line) => !NO_LOG.test(line)) };
}

/** Shipped events as the console would have printed them. */
function printed(logs: readonly Log[]): { heads: string[]; below: string[] } {
  const lines = logs.map(({ message }) => message.split('\n'));
  const heads = logs.map(({ level, logger }, i) => `${level} ${logger}: ${lines[i]?.[0]}`);
  const below = lines.flatMap((all) => all.slice(1)).filter((line) => line.trim() !== '');
  return { heads, below };
}

/**
 * How an executor ends. Its worker then reads no more of its console, in the middle of a line, so
 * that what is shipped is more than what the worker's file has.
 */
const ENDINGS = [
  'Driver commanded a shutdown',
  'RECEIVED SIGNAL TERM',
  'MemoryStore cleared',
  'BlockManager stopped',
  'Shutdown hook called',
  'Deleting directory',
  'Driver from ',
];

function isEnding(line: string): boolean {
  const message = line.replace(/^[A-Z]+ \S+: /, '');
  return ENDINGS.some((one) => message.startsWith(one) || one.includes(message));
}

/** Half of one of these lines: any part of it, after what there is of its time. */
function isHalfOf(heads: readonly string[], line: string): boolean {
  const rest = line.replace(/^[\d/]*( [\d:]*)? ?/, '');
  return heads.some((head) => head.includes(rest));
}

for (const version of SPARK_VERSIONS) {
  describe(`log lines that Spark ${version} ships`, { timeout: 600_000 }, () => {
    const resources = new AsyncDisposableStack();
    let folder = '';
    let jar = '';
    let port = 0;
    let spark: SparkHome;
    let cluster: RunningStandalone;
    let tollgate: RunningTollgate;

    before(async () => {
      folder = resources.use(await temporaryFolder()).path;
      port = await freePort();
      spark = await installSpark(version);
      ({ jar } = await buildAgent(await installSpark(SPARK_VERSIONS[0]), folder));
      cluster = resources.use(await startStandalone(spark, folder));
      tollgate = resources.use(
        await RunningTollgate.start(folder, {
          logs: {
            tcp: [{ port, cluster: 'lab' }],
            files: [
              {
                cluster: 'lab',
                paths: [
                  join(folder, 'logs/{project}/driver.log'),
                  join(folder, 'logs/{project}/{application}/{container}.log'),
                ],
              },
            ],
          },
          containers: { clusters: [{ id: 'lab' }] },
          metrics: { graphite: [] },
        }),
      );
    });
    after(() => resources.disposeAsync());

    /** Runs an application of two executors with one of the configurations; reads all consoles. */
    const ship = async (way: 'tcp' | 'file', project: string) => {
      const layout = join(LAYOUTS, `${way}-spark${version.slice(0, 1)}.properties`);
      const address = `-Dtollgate.log.port=${port} -Dtollgate.project=${project}`;
      const common = `-Dlog4j2.configurationFile=file:${layout} ${address}`;
      const logs = join(folder, 'logs', project);
      const driver = `-Dtollgate.log.file=${logs}/driver.log -Dtollgate.log.lost=${folder}/lost.log`;
      const ids = '-Dtollgate.application={{APP_ID}} -Dtollgate.executor={{EXECUTOR_ID}}';
      const file = `-Dtollgate.log.file=${logs}/{{APP_ID}}/{{EXECUTOR_ID}}.log`;
      const executor = `${ids} ${file}`;
      const run = await runSpark(spark, {
        app: join(import.meta.dirname, 'spark/shipping.py'),
        conf: {
          'spark.master': cluster.master,
          'spark.executor.cores': '1',
          'spark.cores.max': '2',
          'spark.executor.memory': '512m',
          'spark.jars': jar,
          'spark.plugins': 'tollgate.spark.TollgatePlugin',
          'spark.tollgate.url': tollgate.url,
          'spark.tollgate.cluster': 'lab',
          'spark.tollgate.project': project,
          'spark.tollgate.spool.dir': join(folder, 'spool'),
          'spark.driver.extraJavaOptions': `${common} ${driver}`,
          'spark.executor.extraJavaOptions': `${common} ${executor}`,
        },
      });
      assert.equal(run.exitCode, 0, run.stderr.slice(-4_000));
      assert.match(run.stdout, /COUNT 100/);
      const application = /APPLICATION (\S+)/.exec(run.stdout)?.[1] ?? '';
      await writeFile(join(folder, `${way}-driver`), run.stderr);
      const consoles = [
        readConsole('driver', join(folder, `${way}-driver`)),
        ...globSync(join(folder, `work/${application}/*/stderr`)).map((path) =>
          readConsole(path.split('/').at(-2) ?? '', path),
        ),
      ];
      assert.equal(consoles.length, 3, 'a driver and two executors');
      assert.deepEqual(globSync(join(folder, '**/*lost.log')), [], 'no line was lost');
      return { application, consoles };
    };

    const search = async (project: string, container: string): Promise<Log[]> => {
      const found: Log[] = [];
      let cursor = '';
      for (;;) {
        const path = `/v1/projects/${project}/logs?${WIDE}&limit=1000&container=${container}`;
        const page = await tollgate.get<Page>(`${path}${cursor}`);
        found.push(...page.logs);
        if (page.cursor === null) return found;
        cursor = `&cursor=${encodeURIComponent(page.cursor)}`;
      }
    };

    for (const way of ['tcp', 'file'] as const) {
      test(`by ${way}: all of driver and executors, word for word, by project, application and executor`, async (t) => {
        const project = `orders-${way}`;
        await using arrivals = LogArrivals.start(tollgate, project);
        const { application, consoles } = await ship(way, project);
        for (const { container, heads, below } of consoles) {
          const ask = (): Promise<Log[]> => search(project, container).catch(() => []);
          const found = await tollgate
            .until(ask, (logs) => logs.length >= heads.length, ARRIVES_WITHIN_MS)
            .catch(ask);
          const shipped = printed(found);
          t.diagnostic(`${container}: ${heads.length} events said, ${found.length} found`);
          const isMeant = (head: string): boolean => container === 'driver' || !isEnding(head);
          assert.deepEqual(
            shipped.heads.filter(isMeant).sort(),
            heads.filter(isMeant).sort(),
            container,
          );
          // A worker may end an executor's file with half of any line that it has seen.
          const [endings, any] =
            container === 'driver' ? [[], []] : [shipped.heads.filter(isEnding), shipped.heads];
          const whole = below.filter(
            (line, i) => !isHalfOf(i === below.length - 1 ? any : endings, line),
          );
          assert.deepEqual(shipped.below.sort(), whole.sort(), container);
          const nameless = found.filter((log) => log.application !== application);
          if (container !== 'driver') assert.deepEqual(nameless, [], 'all carry their application');
          else {
            // Before it registers a driver doesn't know its id.
            const first = found.filter((log) => log.application === application).at(-1);
            assert.ok(nameless.every((log) => log.application === ''));
            assert.ok(found.length - nameless.length > 20, `${nameless.length} without an id`);
            t.diagnostic(`${nameless.length} of the driver's lines came before it had an id`);
            assert.ok(first !== undefined);
          }
          assert.ok(found.every(({ thread }) => thread !== ''));
          assert.ok(found.every(({ marks }) => marks.length === 0));
        }
        const arrived = arrivals.found();
        for (const { container, lines, medianMs, longestMs } of arrived) {
          const label = `${container}: ${lines} lines found ${medianMs} ms after they were written`;
          t.diagnostic(`${label} (median), ${longestMs} ms (longest)`);
          assert.ok(longestMs < FOUND_WITHIN_MS, `${container}: ${longestMs} ms`);
        }
        assert.equal(arrived.length, 3, 'the driver and two executors');
        const driver = await search(project, 'driver');
        const failed = driver.find(({ message }) => message.startsWith('it failed\n'));
        assert.match(
          failed?.message ?? '',
          /^it failed\njava\.lang\.RuntimeException: outer "x"\n\tat [\s\S]*\nCaused by: java\.lang\.IllegalStateException: inner\nin two lines\n/,
        );
        assert.ok(driver.some(({ message }) => message === 'several\nlines\n\tof one event'));
      });
    }
  });
}
