import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import test from 'node:test';
import { type Fates, fatesSince, recordFates } from '../support/record-fates.ts';
import { freePort, RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';

/**
 * What is in log files, progress files and on TCP connections when something has gone wrong at the
 * other end. There is nobody to answer, so the counters and the quarantine must tell of every record.
 */
const MIB = 1_048_576;
const HUGE_MIB = 64;
const NOW = new Date(Date.now() - 600_000);
const [DATE = '', TIME = ''] = NOW.toISOString().slice(2, 19).replaceAll('-', '/').split('T');
const SECONDS = Math.floor(NOW.getTime() / 1_000);
const WIDE = 'from=2000-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';

const entry = (message: string): string => `${DATE} ${TIME} INFO Executor: ${message}\n`;
const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

interface Found {
  readonly message: string;
  readonly level: string;
  readonly marks: readonly string[];
  readonly application: string;
}

/** What a log file holds, and what becomes of it: messages, with marks behind them, or a fate. */
const FILES: Readonly<
  Record<string, { readonly bytes: Uint8Array | string; readonly kept: string[] }>
> = {
  empty: { bytes: '', kept: [] },
  elf: { bytes: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 0, 0, 2]), kept: [] },
  unmarked: { bytes: utf16(entry('x')).subarray(2), kept: [] },
  hole: {
    bytes: Buffer.concat([Buffer.alloc(MIB), Buffer.from(entry('behind'))]),
    kept: ['behind'],
  },
  little: { bytes: utf16(entry('sixteen é')), kept: ['sixteen é'] },
  big: { bytes: utf16(entry('sixteen é')).swap16(), kept: ['sixteen é'] },
  marked: { bytes: `\ufeff${entry('one')}${entry('two')}`, kept: ['one', 'two'] },
  latin1: { bytes: Buffer.from(entry('café'), 'latin1'), kept: ['caf\ufffd cleaned'] },
  invalid: {
    bytes: Buffer.concat([Buffer.from(entry('x').trim()), Buffer.from([0xc3, 0x28, 0xff, 10])]),
    kept: ['x\ufffd(\ufffd cleaned'],
  },
  proto: {
    bytes: '{"__proto__":{"project":"other"},"level":"INFO","message":"safe","constructor":1}\n',
    kept: ['safe time-observed'],
  },
  numbers: {
    bytes: ['9007199254740993', '1e400', '-1e300', '1e300']
      .map((ts, i) => `{"ts":${ts},"level":"INFO","message":"n${i}"}\n`)
      .join(''),
    kept: ['n0 time-implausible', 'n1 time-observed', 'n2 time-observed', 'n3 time-implausible'],
  },
  ages: {
    bytes: '00/01/01 00:00:00 INFO a: past\n2099-01-01 00:00:00,000 INFO a: future\n',
    kept: ['past time-implausible', 'future time-implausible'],
  },
  repeated: { bytes: entry('same') + entry('same'), kept: ['same', 'same'] },
  reordered: {
    bytes: entry('late') + entry('early').replace(DATE, '20/01/01'),
    kept: ['late', 'early'],
  },
  nested: { bytes: `${'{"a":'.repeat(5_000)}\n${entry('next')}`, kept: ['next'] },
};

async function logsOf(tollgate: RunningTollgate): Promise<Found[]> {
  const path = `/v1/projects/etl/logs?${WIDE}&limit=1000`;
  return (await tollgate.get<{ logs: Found[] }>(path)).logs;
}

const sum = (fates: Fates): number => Object.values(fates).reduce((total, n) => total + n, 0);
const withMarks = ({ message, marks }: Found): string => [message, ...marks].join(' ');

async function* hugeLine(before: string, after: string) {
  yield before;
  const piece = 'a'.repeat(MIB);
  for (let i = 0; i < HUGE_MIB; i += 1) yield piece;
  yield after;
}

const send = (port: number, pieces: Iterable<string | Uint8Array> | AsyncIterable<string>) =>
  pipeline(pieces, connect({ host: '127.0.0.1', port }));

function layOut(folder: string): void {
  for (const [name, { bytes }] of Object.entries(FILES)) {
    mkdirSync(join(folder, 'logs', name), { recursive: true });
    writeFileSync(join(folder, 'logs', name, 'stderr'), bytes);
  }
  mkdirSync(join(folder, 'logs', 'huge'));
  mkdirSync(join(folder, 'progress'));
  mkdirSync(join(folder, 'logs', 'folder', 'stderr'), { recursive: true });
}

/** Graphite lines that must end as the key says. */
const GRAPHITE: Readonly<Record<string, readonly (string | Uint8Array)[]>> = (() => {
  const name = 'application_1795248855005_0001.1.executor.runTime';
  return {
    kept: [
      `${name}.a 9007199254740993 ${SECONDS}`,
      `${name}.a 1 ${SECONDS}`,
      `${name}.b -1e308 ${SECONDS - 60}`,
    ],
    'dropped not-a-number': [`${name}.a NaN ${SECONDS}`, `${name}.a 1e400 ${SECONDS}`],
    'dropped empty-line': [''],
    'dropped time-implausible': [`${name}.a 1 1`, `${name}.a 1 9999999999`],
    'dropped line-too-long': [`${'x'.repeat(5_000)} 1 ${SECONDS}`],
    'quarantined malformed-line': [
      ...['word', `${name} 1 2 3`, `${name} x ${SECONDS}`, `${name} 1 x`],
      Buffer.from([1, 2, 3, 255]),
    ],
    'quarantined unknown-name': [`__proto__ 1 ${SECONDS}`, `constructor 1 ${SECONDS}`],
    'quarantined not-utf8': [
      Buffer.from(`application_1795248855005_0001.1.executor.é 1 ${SECONDS}`, 'latin1'),
    ],
  };
})();

async function sendGraphite(tollgate: RunningTollgate, port: number): Promise<void> {
  const lines = Object.values(GRAPHITE).flat();
  const bytes = lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]);
  await send(port, [Buffer.concat(bytes)]);
  await send(port, ['application_1795248855005_0001.1.executor.half 1 1']);
  await send(port, ['']);
  await send(port, hugeLine('', '\n'));
  const expected = {
    ...Object.fromEntries(Object.entries(GRAPHITE).map(([fate, { length }]) => [fate, length])),
    'dropped line-too-long': 2,
    'dropped partial-line': 1,
  };
  const counted = await tollgate.until(
    () => recordFates(tollgate, 'metrics'),
    (fates) => sum(fates) >= sum(expected),
  );
  assert.deepEqual(counted, expected);
}

async function sendLogs(tollgate: RunningTollgate, port: number): Promise<void> {
  const pieces: (string | Uint8Array)[] = [
    Buffer.from([1, 2, 255, 10]),
    '{"cut\n',
    '{"__proto__":{"message":"evil"}}\n',
    '{"project":"../../x","message":"badproject"}\n',
    '{"ts":1e300,"message":"badtime"}\n',
    Buffer.from('{"message":"café"}\n', 'latin1'),
  ];
  for (const piece of pieces) await send(port, [piece]);
  await send(port, ['']);
  await send(port, ['{"message":"half']);
  await send(port, hugeLine('', '\n{"message":"behindhuge"}\n'));
  const records = pieces.length + 1 + 2;
  const mine = async (): Promise<Found[]> =>
    (await logsOf(tollgate)).filter(({ application }) => application === '');
  const found = await tollgate.until(mine, ({ length }) => length >= records);
  assert.equal(found.length, records);
  const cut = found.find(({ marks }) => marks.includes('cut'));
  assert.match(cut?.message ?? '', /^a+$/);
  assert.ok(found.some(({ message }) => message === 'behindhuge'));
  assert.ok(found.some(({ message }) => message === '{"message":"half'));
}

test('whatever comes in by files and TCP, each record has a counted fate', async (t) => {
  await using folder = await temporaryFolder();
  const [tcpPort, graphitePort] = [await freePort(), await freePort()];
  layOut(folder.path);
  await using tollgate = await RunningTollgate.start(folder.path, {
    logs: {
      files: [{ paths: [join(folder.path, 'logs/{application}/stderr')], project: 'etl' }],
      tcp: [{ port: tcpPort, project: 'etl' }],
      quietMs: 200,
    },
    metrics: { graphite: [{ port: graphitePort, project: 'etl' }] },
    progress: { files: [{ paths: [join(folder.path, 'progress/*.jsonl')], project: 'etl' }] },
    metering: { projects: [{ id: 'etl', grants: [] }] },
  });

  await t.test('log files', async () => {
    const expected = Object.values(FILES).reduce((total, file) => total + file.kept.length, 0);
    // The nested line is cut into a record of its own, with nothing of JSON left in it.
    const found = await tollgate.until(
      () => logsOf(tollgate),
      ({ length }) => length >= expected + 1,
    );
    for (const [name, file] of Object.entries(FILES)) {
      const own = found.filter(({ application }) => application === name).map(withMarks);
      const plain = own.filter((message) => !message.startsWith('{"a":'));
      assert.deepEqual(plain.sort(), [...file.kept].sort(), name);
    }
    const fates = await recordFates(tollgate, 'logs');
    assert.deepEqual(fates, { kept: expected + 1, 'quarantined binary': 2 });
  });

  await t.test(
    'a huge line of a log file is cut and marked, and the next one is whole',
    async () => {
      const file = join(folder.path, 'logs/huge/stderr');
      for await (const piece of hugeLine(entry('long ').trimEnd(), `\n${entry('behind')}`)) {
        appendFileSync(file, piece);
      }
      const found = await tollgate.until(
        async () => (await logsOf(tollgate)).filter(({ application }) => application === 'huge'),
        ({ length }) => length === 2,
      );
      assert.ok(found.some(({ message }) => message === 'behind'));
      const long = found.find(({ marks }) => marks.includes('cut'));
      assert.ok((long?.message.length ?? 0) <= MIB && /a{1000}$/.test(long?.message ?? ''));
    },
  );

  await t.test('logs over TCP', async () => {
    const before = await recordFates(tollgate, 'logs');
    await sendLogs(tollgate, tcpPort);
    assert.deepEqual(fatesSince(before, await recordFates(tollgate, 'logs')), { kept: 9 });
  });

  await t.test('Graphite over TCP', () => sendGraphite(tollgate, graphitePort));

  await t.test('progress files', async () => {
    const file = join(folder.path, 'progress/x.jsonl');
    writeFileSync(file, '\0\x01\n{"a":1}\n\n{"cut\n[]\n');
    for await (const piece of hugeLine('{"id":"', '"}\n')) appendFileSync(file, piece);
    const counted = await tollgate.until(
      () => recordFates(tollgate, 'progress'),
      (fates) => sum(fates) >= 5,
    );
    assert.equal(counted['quarantined too-long'], 1);
    assert.equal(sum(counted), 5);
    assert.ok(Object.keys(counted).every((fate) => fate.startsWith('quarantined ')));
  });

  await t.test('memory stayed bounded, what was refused can be seen, and it stops', async () => {
    interface Waiting {
      counts: { collector: string; reason: string; records: number }[];
    }
    const { counts } = await tollgate.get<Waiting>('/v1/quarantine');
    const waiting = counts.map((one) => `${one.collector} ${one.reason} ${one.records}`);
    assert.ok(waiting.includes('logs binary 2'), waiting.join());
    assert.ok(waiting.includes('metrics malformed-line 5'), waiting.join());
    assert.ok(tollgate.peakMemoryBytes() < 1_000 * MIB, `${tollgate.peakMemoryBytes()}`);
    assert.equal(await tollgate.stop(), 0);
  });
});
