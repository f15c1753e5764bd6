import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, RunningTollgate, temporaryFolder } from '../../support/running-tollgate.ts';
import { expectedPoints, isUndefinedValue, pointKey } from './graphite-said.ts';
import { LineTee } from './line-tee.ts';
import {
  DRIVER_MIB,
  EXECUTOR_MIB,
  makeFolders,
  platformPaths,
  type RanApplications,
  runApplications,
  STREAM_APPLICATION,
} from './run-applications.ts';
import {
  eventLogLives,
  jsonEvents,
  patternEvents,
  printedProgress,
  type SaidLives,
  type SaidLog,
  type SaidProgress,
} from './spark-said.ts';

/** Which stores and inputs a run uses. */
export interface SparkProfile extends AsyncDisposable {
  /** Joined to `tollgate.yaml`: stores, and Kafka as an input of progress. */
  readonly config: object;
  /** Where the listener sends progress, if not to the API over HTTP. */
  readonly progressAddress?: string;
}

/** The cluster that all of it runs on, for inputs that need it said. */
export const SPARK_CLUSTER = 'lab';
const PROJECT = 'orders';
const WIDE = 'from=2010-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';
/**
 * An executor that is told to end leaves half a line in its worker's file, for which Tollgate waits
 * 15 s. The rest is for a busy machine.
 */
const ARRIVES_WITHIN_MS = 120_000;

interface Page {
  logs: (SaidLog & { application: string; container: string; marks: string[] })[];
  cursor: string | null;
}
interface Metrics {
  series: { tags: Record<string, string>; points: [number, number][] }[];
}
interface Charges {
  charges: {
    application: string;
    container: string;
    role: string;
    multiplier: string;
    coverage: string;
    amount: string;
    containerMs: string;
    millicoreMs: string;
    mibMs: string;
  }[];
  cursor: string | null;
}
interface Applications {
  applications: { id: string; name: string; state: string; coverage: string }[];
}

/**
 * Amounts are then whole numbers of nano-credits: 1,024 for a core and ms, 1 for a MiB and ms.
 */
const RATE_CARD = { id: 'exact', coreSecond: '0.001024', gibSecond: '0.001024' };

/**
 * Real applications of Spark go through all collectors; what is then stored is what Spark said.
 *
 * @param open starts the servers that the profile needs; called once, before the tests
 */
export function sparkSuite(name: string, open: () => Promise<SparkProfile>): void {
  describe(`real Spark applications, ${name}`, { timeout: 400_000 }, () => {
    const resources = new AsyncDisposableStack();
    let folder = '';
    let tollgate: RunningTollgate;
    let tee: LineTee;
    let ran: RanApplications;
    let lives: SaidLives[];

    const start = async (profile: SparkProfile): Promise<void> => {
      const graphitePort = await freePort();
      const paths = platformPaths(folder);
      const cluster = SPARK_CLUSTER;
      tollgate = resources.use(
        await RunningTollgate.start(folder, {
          logs: {
            files: [
              { paths: [paths.executorLogs], cluster },
              { paths: [paths.driverLogs], cluster },
              { paths: [paths.yarnLogs], cluster },
            ],
            attributionWaitMs: 120_000,
          },
          metrics: { graphite: [{ port: graphitePort, cluster, projectFromPrefix: true }] },
          containers: { clusters: [{ id: cluster, eventLogs: [paths.eventLogs] }] },
          metering: { rateCard: RATE_CARD, settleIntervalMs: 500 },
          ...profile.config,
        }),
      );
      tee = resources.use(await LineTee.start(graphitePort));
    };

    before(async () => {
      folder = resources.use(await temporaryFolder()).path;
      await makeFolders(folder);
      const profile = resources.use(await open());
      await start(profile);
      ran = await runApplications({
        folder,
        project: PROJECT,
        graphitePort: tee.port,
        progressAddress: profile.progressAddress ?? `${tollgate.url}/v1/ingest/progress`,
      });
      lives = await eventLogLives(join(folder, 'events'));
    });
    after(() => resources.disposeAsync());

    const pages = async <T extends { cursor: string | null }>(path: string): Promise<T[]> => {
      const found: T[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page: T = await tollgate.get(
          `/v1/projects/${PROJECT}/${path}?${WIDE}&limit=1000${more}`,
        );
        found.push(page);
        cursor = page.cursor;
      }
      return found;
    };

    const metrics = (measurement: string, field: string): Promise<Metrics> =>
      tollgate.get(
        `/v1/projects/${PROJECT}/metrics?${WIDE}&limit=1000&step=0&measurement=${measurement}&field=${encodeURIComponent(field)}`,
      );

    test('Spark did what it was asked for', (t) => {
      const { batch, stream } = ran;
      t.diagnostic(`batch ${batch.tookMs} ms, streaming ${stream.tookMs} ms`);
      assert.match(batch.stdout, /RESULT 19999900000\nFAILED \w+\nCOUNT 200000/);
      assert.doesNotMatch(stream.stdout, /UNSENT/);
      assert.equal(stream.stdout.match(/TERMINATED/g)?.length, 2);
    });

    test('every log event of drivers and executors, word for word', async (t) => {
      const files = [
        ...globSync(join(folder, 'work/*/*/stderr')),
        ...globSync(join(folder, 'drivers/*.log')),
        ...globSync(join(folder, 'yarn/*/*/stderr')),
      ];
      assert.equal(files.length, 4, 'two executors, two drivers');
      const said = files.flatMap((file) => {
        const { events, below } = file.includes('/yarn/')
          ? { events: jsonEvents(file), below: [] }
          : patternEvents(file);
        const [, application = '', container = ''] =
          /\/(?:work|yarn)\/(.+)\/(.+)\/stderr$|\/drivers\/(.+)_driver.log$/
            .exec(file)
            ?.filter((part) => part !== undefined) ?? [];
        return { application, container, events, below };
      });
      const expected = said.reduce((sum, { events }) => sum + events.length, 0);
      const all = async () => (await pages<Page>('logs')).flatMap(({ logs }) => logs);
      const enough = (logs: Page['logs']): boolean =>
        logs.filter(({ level }) => level !== 'UNKNOWN').length >= expected;
      // What is missing after that time is shown by the comparison.
      const found = await tollgate.until(all, enough, ARRIVES_WITHIN_MS).catch(all);
      t.diagnostic(`${expected} events in ${files.length} files, ${found.length} records`);
      for (const { application, container, events, below } of said) {
        const own = found.filter(
          (log) => log.application === application && log.container === container,
        );
        const text = ({ level, logger, message }: SaidLog): string =>
          `${level} ${logger}: ${message.trimEnd()}`;
        const isJson = application === STREAM_APPLICATION;
        const heads = own
          .filter(({ level }) => level !== 'UNKNOWN')
          .map((log) => (isJson ? text(log) : (text(log).split('\n')[0] ?? '')));
        assert.deepEqual(heads.sort(), events.map(text).sort(), `${application} ${container}`);
        if (isJson) continue;
        const rest = own.flatMap(({ level, message }) =>
          message.split('\n').slice(level === 'UNKNOWN' ? 0 : 1),
        );
        const lines = rest.filter((line) => line.trim() !== '');
        assert.deepEqual(lines.sort(), below.sort(), `${application} ${container}`);
      }
      assert.ok(found.some(({ message }) => /Traceback[\s\S]*ZeroDivisionError/.test(message)));
    });

    test('every progress that Spark printed, with its values', async (t) => {
      const printed = printedProgress(ran.stream.stdout);
      t.diagnostic(`${printed.length} progress events of 2 queries`);
      assert.ok(printed.length >= 12, `${printed.length} progress events`);
      const fields: Record<string, (said: SaidProgress) => number | undefined> = {
        batch_id: ({ batchId }) => batchId,
        input_rows: ({ numInputRows }) => numInputRows,
        input_rows_per_second: ({ inputRowsPerSecond }) => inputRowsPerSecond,
        processed_rows_per_second: ({ processedRowsPerSecond }) => processedRowsPerSecond,
        trigger_ms: ({ durationMs }) => durationMs['triggerExecution'],
        add_batch_ms: ({ durationMs }) => durationMs['addBatch'],
        query_planning_ms: ({ durationMs }) => durationMs['queryPlanning'],
        wal_commit_ms: ({ durationMs }) => durationMs['walCommit'],
        commit_offsets_ms: ({ durationMs }) => durationMs['commitOffsets'],
        state_rows: ({ stateOperators }) => stateOperators[0]?.numRowsTotal,
        state_bytes: ({ stateOperators }) => stateOperators[0]?.memoryUsedBytes,
        output_rows: ({ sink }) => (sink.numOutputRows < 0 ? undefined : sink.numOutputRows),
      };
      for (const [field, read] of Object.entries(fields)) {
        const expected = printed.flatMap((said) => {
          const value = read(said);
          const end = Date.parse(said.timestamp) + (said.durationMs['triggerExecution'] ?? 0);
          return value === undefined ? [] : [`${said.id} ${said.runId} ${end} ${value}`];
        });
        const { series } = await tollgate.until(
          () => metrics('streaming_query', field),
          (answer) => answer.series.flatMap(({ points }) => points).length >= expected.length,
          ARRIVES_WITHIN_MS,
        );
        const stored = series.flatMap(({ tags, points }) =>
          points.map(([at, value]) => `${tags['query']} ${tags['run']} ${at} ${value}`),
        );
        assert.deepEqual(stored.sort(), expected.sort(), field);
        for (const { tags } of series) assert.equal(tags['application'], STREAM_APPLICATION);
      }
    });

    test('every point of the Graphite sinks, with its value', async (t) => {
      const printed = await (await fetch(`${tollgate.url}/metrics`)).text();
      const fates = [
        ...printed.matchAll(/tollgate_records_total\{collector="metrics"[^}]*\} (\d+)/g),
      ].reduce((sum, [, count]) => sum + Number(count), 0);
      assert.equal(fates, tee.lines.length + tee.partial, 'each line has a fate');
      const { points, fields } = expectedPoints(tee.lines);
      t.diagnostic(`${tee.lines.length} lines, ${points.size} points of ${fields.length} fields`);
      const stored = new Map<string, number>();
      for (const [measurement, field] of fields) {
        const { series } = await metrics(measurement, field);
        for (const { tags, points } of series) {
          for (const [at, value] of points) {
            stored.set(pointKey({ measurement, field, tags, at }), value);
          }
        }
      }
      const wanted = new Map([...points].filter((point) => !isUndefinedValue(...point)));
      const differing = [...new Set([...wanted.keys(), ...stored.keys()])].filter(
        (key) => wanted.get(key) !== stored.get(key),
      );
      assert.deepEqual(
        differing.slice(0, 20).map((key) => [key, wanted.get(key), stored.get(key)]),
        [],
        `${differing.length} points differ`,
      );
      assert.ok(stored.size > 1_000, `${stored.size} points`);
    });

    test('container-seconds and costs, to the ms and the billionth of a credit', async (t) => {
      const expected = lives.flatMap(({ application, start, end, executors }) => {
        const local = executors.has('driver');
        const all = local ? [...executors] : [...executors, ['driver', { start, end }] as const];
        return all.map(([id, life]) => {
          const ms = BigInt(life.end - life.start);
          const isDriver = id === 'driver';
          const mib = BigInt(isDriver ? DRIVER_MIB : EXECUTOR_MIB);
          const cores = local ? 2n : 1n;
          const nano = ms * (cores * 1_024n + mib);
          return { key: `${application} ${isDriver ? 'driver' : id}`, ms, nano };
        });
      });
      const sums = async () => {
        const found = new Map<string, { ms: bigint; nano: bigint }>();
        for (const { charges } of await pages<Charges>('charges')) {
          for (const { application, container, containerMs, amount } of charges) {
            const key = `${application} ${container.split('/').at(-1)}`;
            const sum = found.get(key) ?? { ms: 0n, nano: 0n };
            const [whole = '0', fraction = ''] = amount.replace('-', '').split('.');
            const nano = BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
            found.set(key, {
              ms: sum.ms + BigInt(containerMs),
              nano: sum.nano + (amount.startsWith('-') ? -nano : nano),
            });
          }
        }
        return [...found].map(([key, { ms, nano }]) => `${key} ${ms} ms ${nano} nano`).sort();
      };
      const wanted = expected.map(({ key, ms, nano }) => `${key} ${ms} ms ${nano} nano`).sort();
      assert.equal(wanted.length, 4, 'two executors and two drivers');
      const last = await tollgate
        .until(sums, (found) => found.join() === wanted.join(), ARRIVES_WITHIN_MS)
        .catch(sums);
      assert.deepEqual(last, wanted);
      t.diagnostic(wanted.join('; '));
      const { applications } = await tollgate.get<Applications>(
        `/v1/projects/${PROJECT}/applications`,
      );
      assert.deepEqual(
        applications.map(({ name, state, coverage }) => `${name} ${state} ${coverage}`).sort(),
        ['orders nightly ended exact', 'orders stream ended exact'],
      );
    });

    test('nothing was refused, and nothing belongs to nobody', async () => {
      const { counts } = await tollgate.get<{ counts: unknown[] }>('/v1/quarantine');
      assert.deepEqual(counts, []);
      const nobody = await tollgate.get<Page>(`/v1/projects/unattributed/logs?${WIDE}`);
      assert.deepEqual(nobody.logs, []);
      // A broker that has just started makes a warning or two.
      assert.doesNotMatch(tollgate.errors, /"level":[56]0/);
    });
  });
}
