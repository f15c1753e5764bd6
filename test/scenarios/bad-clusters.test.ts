import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Answer, AnsweringServer } from '../support/answering-server.ts';
import {
  applicationEnd,
  applicationStart,
  environment,
  executorAdded,
  executorRemoved,
  line,
  logStart,
} from '../support/event-log-lines.ts';
import { recordFates } from '../support/record-fates.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';

/**
 * Event logs and managers that are broken. No line of theirs may change what a container cost that
 * another line tells rightly: each application here has one executor for a minute.
 */
const MIB = 1_048_576;
const START = Date.now() - 3_600_000;
const WIDE = 'from=2000-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';
const EXECUTOR_MS = 60_000;

function eventLog(application: string, more: readonly string[]): string {
  return [
    logStart(),
    environment({ 'spark.master': 'yarn' }),
    applicationStart(START, { 'App ID': application }),
    executorAdded(START + 1_000, '1'),
    ...more,
    executorRemoved(START + 1_000 + EXECUTOR_MS, '1'),
    applicationEnd(START + 70_000),
    '',
  ].join('\n');
}

const EVIL = '{"__proto__":{"Event":"SparkListenerApplicationEnd","Timestamp":1}}';
const BEYOND = '9007199254740993';
const withNumber = (text: string, number: string): string => text.replace('"#"', number);

/** What stands inside logs that are read, and how often that must be noted under which name. */
const LOGS: Readonly<
  Record<string, { readonly more: string[]; readonly notes: Record<string, number> }>
> = {
  malformed: {
    more: [
      ...['{"Event":"SparkListenerTaskEnd"', 'garbage', 'null', '[]', '\0\0\0', '{"Event":1}'],
      line('SparkListenerExecutorAdded'),
      line('SparkListenerTaskEnd', { 'Task Info': null }),
    ],
    notes: { 'unreadable-line': 8 },
  },
  proto: { more: [EVIL, environment({ constructor: 1 })], notes: { 'unreadable-line': 1 } },
  numbers: {
    more: [BEYOND, '1e400', '-1e400'].map((at) =>
      withNumber(
        line('SparkListenerExecutorAdded', {
          Timestamp: '#',
          'Executor ID': at,
          'Executor Info': { Host: 'h', 'Total Cores': 1, 'Log Urls': {} },
        }),
        at,
      ),
    ),
    notes: { 'implausible-time': 3 },
  },
  // 1 ms after 1970 can be a time; it is metering that refuses a life of half a century.
  ages: {
    more: [executorAdded(-5, '2'), executorAdded(1, '3'), executorAdded(8.64e15, '4')],
    notes: { 'implausible-time': 2 },
  },
  twice: {
    more: [executorAdded(START + 1_000, '1'), executorAdded(START + 1_000, '1')],
    notes: { 'executor-added-twice': 2 },
  },
  huge: {
    more: [line('SparkListenerTaskEnd', { x: 'a'.repeat(32 * MIB) })],
    notes: { 'line-too-long': 1 },
  },
};

const NO_LOGS: Readonly<Record<string, string | Uint8Array>> = {
  binary: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 255]),
  text: 'no event log\nat all\n',
  json: '{"a":1}\n{"b":2}\n',
  utf16: Buffer.from(`\ufeff${eventLog('utf16', [])}`, 'utf16le'),
  'broken.lz4': Buffer.from('LZ4Block and then no more of it'),
};

/** A last line that can't be packed tight, so that a cut falls into it. */
const NOISE = Array.from({ length: 50 }, (_, i) => hash('sha512', `${i}`)).join('');

function layOut(folder: string): void {
  mkdirSync(folder);
  const files: [string, string | Uint8Array][] = [
    ...Object.entries(LOGS).map(
      ([name, { more }]) => [name, eventLog(name, more)] as [string, string],
    ),
    ...Object.entries(NO_LOGS),
    ['marked', `\ufeff${eventLog('marked', [])}`],
    ['latin1', Buffer.from(eventLog('latin1', []).replace('made', 'café'), 'latin1')],
    ['cut.gz', gzipSync(eventLog('cut', []) + NOISE).subarray(0, -1_000)],
    ['empty', ''],
  ];
  for (const [name, bytes] of files) {
    writeFileSync(join(folder, name), bytes);
    utimesSync(join(folder, name), START / 1_000, START / 1_000);
  }
  symlinkSync('/dev/zero', join(folder, 'endless'));
  mkdirSync(join(folder, 'eventlog_v2_nothing'));
}

const BAD_ANSWERS: Readonly<Record<string, { readonly answer: Answer; readonly reason: string }>> =
  {
    nothing: { answer: { text: '' }, reason: 'not-json' },
    page: { answer: { text: '<html>starting up</html>' }, reason: 'not-json' },
    binary: { answer: { text: '\0\x01\x02' }, reason: 'not-json' },
    cut: { answer: { json: { clusterInfo: { id: 1 } }, cutAt: 10 }, reason: 'not-json' },
    deep: { answer: { text: '['.repeat(60_000) }, reason: 'not-json' },
    large: { answer: { text: ' '.repeat(200_000) }, reason: 'too-large' },
    failure: { answer: { text: 'no', status: 500 }, reason: 'bad-status' },
    breaking: { answer: { breakOff: true }, reason: 'unreachable' },
    silent: { answer: { never: true }, reason: 'unreachable' },
    list: { answer: { json: [] }, reason: 'not-understood' },
    null: { answer: { json: null }, reason: 'not-understood' },
    proto: {
      answer: { text: '{"__proto__":{"clusterMetrics":{"totalMB":1}}}' },
      reason: 'not-understood',
    },
    beyond: {
      answer: { text: `{"clusterMetrics":{"totalMB":1e400,"allocatedMB":${BEYOND}},"cores":-1}` },
      reason: 'not-understood',
    },
  };
const ASKED = ['info', 'metrics', 'nodes', 'apps'].map((name) => `/ws/v1/cluster/${name}`);

async function counter(tollgate: RunningTollgate, name: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${tollgate.url}/metrics`)).text();
  const lines = text.split('\n').filter((one) => one.startsWith(`${name}{`));
  return new Map(
    lines.map((one) => [
      one.slice(name.length, one.lastIndexOf(' ')),
      Number(one.split(' ').at(-1)),
    ]),
  );
}

async function executorMs(tollgate: RunningTollgate): Promise<Map<string, number>> {
  interface Charges {
    charges: { role: string; application: string; containerMs: string }[];
  }
  const path = `/v1/projects/etl/charges?${WIDE}&limit=5000`;
  const sums = new Map([['unreadable-line', 1]]);
  for (const charge of (await tollgate.get<Charges>(path)).charges) {
    if (charge.role !== 'executor') continue;
    const { application, containerMs } = charge;
    sums.set(application, (sums.get(application) ?? 0) + Number(containerMs));
  }
  return sums;
}

test('broken event logs and managers change no charge, and are counted', async (t) => {
  await using folder = await temporaryFolder();
  await using manager = await AnsweringServer.open();
  const events = join(folder.path, 'events');
  layOut(events);
  const asked = {
    urls: [manager.url],
    pollIntervalMs: 100,
    timeoutMs: 200,
    maxAnswerBytes: 65_536,
  };
  await using tollgate = await RunningTollgate.start(folder.path, {
    metrics: { graphite: [] },
    logLevel: 'error',
    containers: {
      scanIntervalMs: 100,
      settleMs: 100,
      clusters: [
        { id: 'default', eventLogs: [events] },
        { id: 'yarn', type: 'yarn', ...asked },
        { id: 'lab', type: 'standalone', ...asked },
      ],
      attribution: [{ project: 'etl' }],
    },
    metering: { projects: [{ id: 'etl', grants: [] }] },
  });

  await t.test('event logs', async () => {
    const names = [...Object.keys(LOGS), 'marked', 'latin1', 'cut'];
    const sums = await tollgate.until(
      () => executorMs(tollgate),
      (all) => names.every((name) => (all.get(name) ?? 0) >= EXECUTOR_MS),
    );
    assert.deepEqual(
      names.map((name) => [name, sums.get(name)]),
      names.map((name) => [name, EXECUTOR_MS]),
    );
    const fates = await tollgate.until(
      () => recordFates(tollgate, 'containers'),
      (all) => (all['dropped not-an-event-log'] ?? 0) >= Object.keys(NO_LOGS).length,
    );
    assert.equal(fates['dropped not-an-event-log'], Object.keys(NO_LOGS).length);
    // The last line of the cut log is one more.
    const expected = new Map([['unreadable-line', 1]]);
    for (const { notes } of Object.values(LOGS)) {
      for (const [note, times] of Object.entries(notes)) {
        expected.set(note, (expected.get(note) ?? 0) + times);
      }
    }
    const noted = await tollgate.until(
      () => counter(tollgate, 'tollgate_event_log_notes_total'),
      (all) => [...expected].every(([note, times]) => (all.get(`{note="${note}"}`) ?? 0) >= times),
    );
    for (const [note, times] of expected) assert.equal(noted.get(`{note="${note}"}`), times, note);
    assert.ok((noted.get('{note="truncated"}') ?? 0) > 0);
  });

  for (const [name, { answer, reason }] of Object.entries(BAD_ANSWERS)) {
    await t.test(`managers that answer with: ${name}`, async () => {
      const problems = () => counter(tollgate, 'tollgate_cluster_problems_total');
      for (const path of [...ASKED, '/json/', '/json']) manager.answers.set(path, answer);
      const before = await problems();
      const keys = ['yarn', 'standalone'].map((who) => `{reason="${reason}",witness="${who}"}`);
      await tollgate.until(problems, (now) =>
        keys.every((key) => (now.get(key) ?? 0) > (before.get(key) ?? 0)),
      );
    });
  }

  await t.test('nothing of it became a load or an application, and it still works', async () => {
    interface Clusters {
      clusters: { id: string; load: object | null }[];
    }
    const { clusters } = await tollgate.get<Clusters>('/v1/clusters');
    assert.deepEqual(
      clusters.map(({ load }) => load),
      [null, null, null],
    );
    writeFileSync(join(events, 'good'), eventLog('good', []));
    const sums = await tollgate.until(
      () => executorMs(tollgate),
      (all) => all.has('good'),
    );
    assert.equal(sums.get('good'), EXECUTOR_MS);
    assert.ok(tollgate.peakMemoryBytes() < 1_000 * MIB, `${tollgate.peakMemoryBytes()}`);
    assert.equal(await tollgate.stop(), 0);
  });
});
