import assert from 'node:assert/strict';
import { appendFile, mkdir, rename } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import test from 'node:test';
import { freePort, type RunningTollgate, temporaryFolder } from './running-tollgate.ts';

const KILLS = Number(process.env['TOLLGATE_KILLS'] ?? 3);
const SEED = Number(process.env['TOLLGATE_SEED'] ?? 20_261_121);
const LINES_A_ROUND = 2_000;
const APPLICATION = 'application_1795248855005_0001';
const CONTAINER = 'container_1795248855005_0001_01_000002';

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

const pad = (n: number): string => String(n).padStart(2, '0');
const at = new Date();
const DAY = `${pad(at.getUTCFullYear() % 100)}/${pad(at.getUTCMonth() + 1)}/${pad(at.getUTCDate())}`;
const HOUR = pad(at.getUTCHours());

/** Every tenth record has a stack trace, so that kills fall inside records too. */
function logLine(n: number): string {
  const line = `${DAY} ${HOUR}:00:${pad(n % 60)} INFO Executor: unique${n}n finished\n`;
  return n % 10 === 0
    ? `${line}java.io.IOException: broken${n}n\n\tat a.b.C.d(C.java:${n})\nCaused by: e\n\t... 3 more\n`
    : line;
}

const progressLine = (n: number): string =>
  JSON.stringify({
    id: '73a0e105-ef90-42e8-a7c0-7262bb60f730',
    runId: '136d37de-27a1-4773-8f81-bd2f625e90e8',
    name: 'orders',
    timestamp: new Date(at.getTime() - 600_000 + n * 100).toISOString(),
    batchId: n,
    batchDuration: 50,
    numInputRows: n,
    durationMs: { triggerExecution: 50 },
    sources: [],
    sink: { description: 'x', numOutputRows: -1 },
    application: APPLICATION,
  });

const graphiteLine = (n: number): string =>
  `${APPLICATION}.1.executor.runTime.count ${n} ${Math.floor(at.getTime() / 1_000) - 20_000 + n}\n`;

const event = (name: string, more: object): string =>
  `${JSON.stringify({ Event: `SparkListener${name}`, ...more })}\n`;

function eventLogStart(): string {
  return (
    event('LogStart', { 'Spark Version': '3.5.6' }) +
    event('EnvironmentUpdate', {
      'Spark Properties': { 'spark.master': 'yarn', 'spark.tollgate.project': 'etl' },
    }) +
    event('ApplicationStart', {
      'App Name': 'orders',
      'App ID': APPLICATION,
      'App Attempt ID': '1',
      Timestamp: at.getTime() - 3_600_000,
      User: 'alice',
    })
  );
}

const executorAdded = (n: number): string =>
  event('ExecutorAdded', {
    Timestamp: at.getTime() - 3_000_000 + n * 1_000,
    'Executor ID': String(n),
    'Executor Info': {
      Host: 'h',
      'Total Cores': 2,
      'Log Urls': {},
      Attributes: {
        CONTAINER_ID: `container_1795248855005_0001_01_${String(n + 1).padStart(6, '0')}`,
      },
    },
  });

const executorRemoved = (n: number): string =>
  event('ExecutorRemoved', {
    Timestamp: at.getTime() - 2_000_000 + n * 1_000,
    'Executor ID': String(n),
    'Removed Reason': 'Executor killed by driver.',
  });

/** Tollgate in one process or several. */
export interface KillableTollgate extends AsyncDisposable {
  /** Takes records. */
  readonly collect: RunningTollgate;
  /** Answers. */
  readonly serve: RunningTollgate;
  /** As a power cut, of all processes or of one that the draw chooses. */
  kill(draw: number): Promise<void>;
  /** @returns the exit code of each process */
  stop(): Promise<(number | null)[]>;
}

export interface KillScenario {
  readonly name: string;
  start(folder: string, config: object): Promise<KillableTollgate>;
  /** Runs beside the feeding of each round, such as the death of a server. */
  readonly disturb?: (round: number) => Promise<void>;
}

interface Feed {
  readonly logFile: string;
  readonly eventLog: string;
  readonly graphitePort: number;
}

/** One round of records: files are appended in pieces, HTTP and Graphite are sent until taken. */
async function feed(round: number, { logFile, eventLog }: Feed, random: () => number) {
  const from = round * LINES_A_ROUND;
  let text = '';
  for (let n = from; n < from + LINES_A_ROUND; n += 1) text += logLine(n);
  while (text !== '') {
    const size = Math.ceil(random() * 20_000);
    await appendFile(logFile, text.slice(0, size));
    text = text.slice(size);
  }
  await appendFile(eventLog, executorAdded(round + 1) + executorRemoved(round + 1));
}

async function push(tollgate: RunningTollgate, { graphitePort }: Feed, round: number) {
  const numbers = Array.from({ length: 200 }, (_, i) => round * 200 + i);
  const body = numbers.map((n) => `${progressLine(n)}\n`).join('');
  const logs = numbers
    .map((n) => `${JSON.stringify({ id: `push-${n}`, level: 'WARN', message: `pushed${n}p` })}\n`)
    .join('');
  const headers = { 'tollgate-project': 'etl' };
  const answers = await Promise.all([
    tollgate.post('/v1/ingest/progress', body, headers),
    tollgate.post('/v1/ingest/logs', logs, headers),
  ]);
  for (const answer of answers) assert.equal(answer.status, 200, await answer.text());
  const points = numbers.map(graphiteLine);
  const socket = connect({ host: '127.0.0.1', port: graphitePort });
  // A kill may reset it after its last byte is sent, when the pipeline no longer listens.
  socket.on('error', () => {});
  await pipeline(points, socket);
}

interface Logs {
  logs: { message: string }[];
  cursor: string | null;
}

/** All messages of the project, page by page. */
async function allMessages(tollgate: RunningTollgate): Promise<string[]> {
  const messages: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/v1/projects/etl/logs?from=-2d&until=2100-01-01T00:00:00Z&limit=1000${more}`;
    const page: Logs = await tollgate.get(path);
    messages.push(...page.logs.map(({ message }) => message));
    cursor = page.cursor;
  }
  return messages;
}

/**
 * Tollgate is killed at random moments while records come in, and started again. Everything that
 * can be read or sent again must be in the stores exactly once. TOLLGATE_KILLS sets how many kills;
 * the seed is printed.
 */
export function killScenario({ name, start, disturb }: KillScenario): void {
  test(`${name}: killed at random moments and started again, every record is there exactly once`, async (t) => {
    t.diagnostic(`seed ${SEED}, ${KILLS} kills`);
    const random = seeded(SEED);
    await using folder = await temporaryFolder();
    const graphitePort = await freePort();
    const logFolder = join(folder.path, 'logs', APPLICATION, CONTAINER);
    const events = join(folder.path, 'events');
    await mkdir(logFolder, { recursive: true });
    await mkdir(events);
    const place: Feed = {
      logFile: join(logFolder, 'stderr'),
      eventLog: join(events, `${APPLICATION}_1.inprogress`),
      graphitePort,
    };
    const config = {
      logs: {
        files: [
          { paths: [join(folder.path, 'logs/{application}/{container}/stderr*')], project: 'etl' },
        ],
      },
      metrics: { graphite: [{ port: graphitePort, project: 'etl' }] },
      containers: { clusters: [{ id: 'default', eventLogs: [events] }] },
      metering: { projects: [{ id: 'etl', grants: [{ id: 'g', credits: '1000' }] }] },
    };
    await appendFile(place.eventLog, eventLogStart());
    for (let round = 0; round < KILLS; round += 1) {
      await using running = await start(folder.path, config);
      const feeding = feed(round, place, random);
      const pushing = push(running.collect, place, round).catch(() => {});
      const disturbing = disturb?.(round);
      await new Promise((resolve) => setTimeout(resolve, random() * 600));
      await running.kill(random());
      await Promise.all([feeding, pushing, disturbing]);
    }
    await rename(place.logFile, `${place.logFile}.1`);
    await appendFile(place.eventLog, event('ApplicationEnd', { Timestamp: at.getTime() }));
    await rename(place.eventLog, place.eventLog.replace('.inprogress', ''));

    await using last = await start(folder.path, config);
    const tollgate = last.serve;
    // A server that was killed may still be on its way back: a sender tries again.
    const sent = performance.now();
    for (let round = 0; round < KILLS; round += 1) {
      const pushed = (): Promise<boolean> =>
        push(last.collect, place, round).then(
          () => true,
          () => false,
        );
      await last.collect.until(pushed, (done) => done, 90_000);
    }
    t.diagnostic(`all was taken after ${Math.round(performance.now() - sent)} ms`);
    const lines = KILLS * LINES_A_ROUND;
    const pushes = KILLS * 200;

    await t.test('log lines of files and of HTTP', async () => {
      const messages = await tollgate.until(
        () => allMessages(tollgate),
        (all) => all.length >= lines + pushes,
        60_000,
      );
      const counts = new Map<string, number>();
      for (const message of messages) {
        const key = /unique\d+n|pushed\d+p/.exec(message)?.[0] ?? message;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      const twice = [...counts].filter(([, count]) => count !== 1);
      assert.deepEqual(twice, []);
      assert.equal(counts.size, lines + pushes);
      const traced = messages.find((message) => message.includes('unique10n'));
      assert.match(traced ?? '', /broken10n[\s\S]*Caused by: e\n\t\.\.\. 3 more/);
    });

    interface Series {
      series: { points: [number, number][] }[];
    }
    await t.test('points of Graphite and batches of a query', async () => {
      const path = (measurement: string, field: string) =>
        `/v1/projects/etl/metrics?measurement=${measurement}&field=${field}&step=0&from=-8h`;
      const runTime = await tollgate.until(
        () => tollgate.get<Series>(path('executor', 'runTime.count')),
        ({ series }) => (series[0]?.points.length ?? 0) >= pushes,
      );
      assert.deepEqual(
        runTime.series[0]?.points.map(([, value]) => value),
        Array.from({ length: pushes }, (_, n) => n),
      );
      const batches = await tollgate.get<Series>(path('streaming_query', 'batch_id'));
      assert.deepEqual(
        batches.series[0]?.points.map(([, value]) => value),
        Array.from({ length: pushes }, (_, n) => n),
      );
    });

    await t.test('containers, each charged once', async () => {
      interface Charges {
        charges: { role: string; containerMs: string }[];
      }
      const { charges } = await tollgate.until(
        () => tollgate.get<Charges>('/v1/projects/etl/charges?from=-2d&until=now&limit=5000'),
        (answer) => {
          const ms = answer.charges
            .filter(({ role }) => role === 'executor')
            .reduce((sum, charge) => sum + Number(charge.containerMs), 0);
          return ms >= KILLS * 1_000_000;
        },
      );
      const executors = charges
        .filter(({ role }) => role === 'executor')
        .reduce((sum, charge) => sum + BigInt(charge.containerMs), 0n);
      assert.equal(executors, BigInt(KILLS) * 1_000_000n);
    });

    await t.test('nothing was refused, and it stops cleanly when asked', async () => {
      interface Quarantine {
        counts: object[];
      }
      assert.deepEqual((await tollgate.get<Quarantine>('/v1/quarantine')).counts, []);
      assert.ok((await last.stop()).every((code) => code === 0));
    });
  });
}
