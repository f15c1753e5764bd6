import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import type { LogRecord } from '../../../../shared/contracts/log-record.ts';
import { UNATTRIBUTED } from '../../../../shared/values/project-id.ts';
import { sharedDataFile } from '../../../../test/support/shared-data.ts';
import { LocalTime } from './local-time.ts';
import { type RawRecord, RecordAssembler } from './record-assembler.ts';
import { TimeReader } from './time-reader.ts';
import { toLogRecord } from './to-log-record.ts';

const OBSERVED = Date.UTC(2026, 10, 21, 12);
const ORIGIN = { project: UNATTRIBUTED, cluster: 'main', application: 'app', container: '1' };

interface Read {
  readonly raws: RawRecord[];
  readonly records: LogRecord[];
  readonly positions: number[];
}

function read(pieces: readonly Buffer[], max = 1 << 20): Read {
  const time = new TimeReader(new LocalTime('UTC'));
  const raws: RawRecord[] = [];
  const assembler = new RecordAssembler({
    time,
    maxRecordBytes: max,
    start: 0,
    out: (raw) => raws.push(raw),
  });
  const positions = pieces.map((piece) => {
    assembler.push(piece);
    return assembler.position;
  });
  assembler.flush();
  const context = { origin: ORIGIN, time, observedAt: OBSERVED, lastAt: undefined, trusted: false };
  const records = raws.flatMap((raw) => toLogRecord(raw, context) ?? []);
  return { raws, records, positions };
}

const readText = (text: string): LogRecord[] => read([Buffer.from(text)]).records;
const readSample = (path: string): LogRecord[] =>
  read([readFileSync(sharedDataFile(path))]).records;

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...new Set(at.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

const HEADER = /^\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d(?:\.\d{3})? (?:\S.* )?(?:INFO|WARN|ERROR) /;

for (const sample of [
  'spark4/driver-4.1.2-pattern-layout.log',
  'logs/nvidia-rapids-tools/driverlog',
]) {
  test(`every header of ${sample} begins a record, and no line is lost`, () => {
    const text = readFileSync(sharedDataFile(sample), 'utf8');
    const headers = text.split('\n').filter((line) => HEADER.test(line)).length;
    const { raws } = read([Buffer.from(text)]);
    assert.equal(raws.filter(({ kind }) => kind === 'pattern').length, headers);
    assert.ok(headers > 250);
    let end = 0;
    for (const raw of raws) {
      assert.equal(raw.start, end);
      end = raw.end;
    }
    assert.equal(end, Buffer.byteLength(text));
  });
}

test('the driver log layout has threads with blanks', () => {
  const records = readSample('logs/nvidia-rapids-tools/driverlog');
  const first = records[0];
  assert.equal(first?.at, Date.UTC(2023, 10, 7, 10, 59, 24, 335));
  assert.deepEqual([first?.thread, first?.level, first?.logger], ['main', 'INFO', 'DriverLogger']);
  assert.ok(records.some(({ thread }) => thread.includes(' ')));
});

test('a stack trace stays with its error, causes included', () => {
  const records = readSample('spark4/driver-4.1.2-pattern-layout.log');
  const failure = records.find(
    ({ level, message }) => level === 'ERROR' && message.includes('\n\tat '),
  );
  assert.match(failure?.message ?? '', /terminated with error\n[\w.]+Exception: .*\n\tat /);
});

for (const [sample, loggers] of [
  ['spark4/driver-4.1.2-structuredLogging.jsonl', /^[\w$]+$/],
  ['spark4/driver-4.1.2-JsonTemplateLayout-Ecs.jsonl', /^org\./],
] as const) {
  test(`every JSON line of ${sample} is a record with time, level and logger`, () => {
    const lines = readFileSync(sharedDataFile(sample), 'utf8').split('\n');
    const json = lines.filter((line) => line.startsWith('{"'));
    const records = readSample(sample).filter(({ marks }) => !marks.includes('time-observed'));
    assert.equal(records.length, json.length);
    for (const record of records) {
      assert.notEqual(record.level, 'UNKNOWN');
      assert.match(record.logger, loggers);
      assert.equal(new Date(record.at).getUTCFullYear(), 2026);
    }
    const error = records.find(
      ({ level, message }) => level === 'ERROR' && message.includes('\tat '),
    );
    assert.match(error?.message ?? '', /planted failure/);
  });
}

test('PySpark errors keep their traceback', () => {
  const records = readSample('logs/apache-spark-docs/pyspark-executor-errors.log');
  assert.equal(records.length, 2);
  assert.match(records[0]?.message ?? '', /^Exception in task[\s\S]*Traceback[\s\S]*TypeError/);
});

test('all layouts give time, level, logger, thread and message', () => {
  const at = Date.UTC(2020, 0, 2, 3, 4, 5);
  for (const [line, ms, level, logger, thread] of [
    ['20/01/02 03:04:05 INFO SparkContext: m', 0, 'INFO', 'SparkContext', ''],
    ['20/01/02 03:04:05 WARN executor.Coarse$Backend: m', 0, 'WARN', 'executor.Coarse$Backend', ''],
    ['2020-01-02 03:04:05 INFO  MicroBatchExecution:54 - m', 0, 'INFO', 'MicroBatchExecution', ''],
    [
      '20/01/02 03:04:05.678 Executor task launch worker for task 0.0 in stage 0.0 (TID 0) ERROR Executor: m',
      678,
      'ERROR',
      'Executor',
      'Executor task launch worker for task 0.0 in stage 0.0 (TID 0)',
    ],
    [
      '2020-01-02 03:04:05,678 INFO [main] org.apache.Foo: m',
      678,
      'INFO',
      'org.apache.Foo',
      'main',
    ],
    ['2020-01-02 03:04:05,678 INFO [main] Foo (Foo.java:run(12)) - m', 678, 'INFO', 'Foo', 'main'],
    ['2020-01-02 03:04:05,678 [main] DEBUG o.a.Foo - m', 678, 'DEBUG', 'o.a.Foo', 'main'],
    ['2020-01-02T03:04:05.678Z INFO Foo: m', 678, 'INFO', 'Foo', ''],
    ['2020-01-02T05:04:05.678+02:00 INFO Foo: m', 678, 'INFO', 'Foo', ''],
    ['2020-01-02 03:04:05,678 - root - WARNING - m', 678, 'WARN', 'root', ''],
    ['2020-01-02 03:04:05 FATAL m', 0, 'FATAL', '', ''],
    ['[2020-01-02 03:04:05,678] INFO [main]: m', 678, 'INFO', '', ''],
  ] as const) {
    const [record, ...more] = readText(`${line}\n`);
    assert.equal(more.length, 0, line);
    assert.equal(record?.at, at + ms, line);
    assert.equal(record?.level, level, line);
    if (logger !== '' || !line.startsWith('[')) assert.equal(record?.logger, logger, line);
    if (thread !== '') assert.equal(record?.thread, thread, line);
    assert.ok(record?.message.endsWith('m'), line);
  }
});

test('a date at the start of a continuation line begins nothing', () => {
  const text =
    '20/01/02 03:04:05 INFO Foo: rows\n2020-01-02 | 5\n20/13/41 99:00:00 INFO Foo: no date\n';
  assert.equal(readText(text).length, 1);
});

test('without headers each line is a record, and what belongs together stays so', () => {
  const text = [
    'hello',
    'Exception in thread "main" java.lang.RuntimeException: x',
    '\tat a.B.c(D.java:1)',
    'Caused by: java.io.IOException: y',
    '\t... 12 more',
    'Traceback (most recent call last):',
    '  File "x.py", line 1, in <module>',
    'ValueError: z',
    '',
    'During handling of the above exception, another exception occurred:',
    '',
    'Traceback (most recent call last):',
    '  File "y.py", line 2',
    'KeyError: w',
    'done',
    '+---+',
    '|  a|',
    '-----BEGIN RSA PRIVATE KEY-----',
    'MIIEabc',
    'line two',
    '-----END RSA PRIVATE KEY-----',
    'after',
  ].join('\n');
  const messages = readText(text).map(({ message }) => message);
  assert.deepEqual(
    messages.map((message) => message.split('\n')[0]),
    [
      'hello',
      'Exception in thread "main" java.lang.RuntimeException: x',
      'Traceback (most recent call last):',
      'done',
      'PRIVATE KEY ****',
      'after',
    ],
  );
  assert.match(messages[2] ?? '', /ValueError: z\n\nDuring [\s\S]*KeyError: w$/);
});

const SAMPLE = Buffer.from(
  [
    '26/11/21 07:00:00 INFO A: one',
    'more ä',
    '{"ts":"2026-11-21T07:00:01Z","level":"WARN","msg":"jsön"}',
    'plain',
    '\tindented',
    '',
    '26/11/21 07:00:02 some thread ERROR B: boom',
    `\tat x.Y.z(${'W'.repeat(40)}.java:1)`,
    `{"broken ${'x'.repeat(60)}`,
    '26/11/21 07:00:03 INFO C: last',
  ].join('\n'),
);

test('any cuts of the bytes give the same records, at any limit of size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.constantFrom(1 << 20, 120, 30, 29, 28),
      fc.constantFrom('utf8', 'utf16le', 'long') as fc.Arbitrary<'utf8' | 'utf16le' | 'long'>,
      (at, max, form) => {
        let bytes: Buffer = SAMPLE;
        if (form === 'utf16le') bytes = Buffer.from(`\ufeff${SAMPLE.toString()}`, 'utf16le');
        // Lines longer than the limit and than what is looked at of a line that isn't whole.
        const long = `26/11/21 07:00:04 INFO D: ${'y'.repeat(9_000)}\nz\n`;
        if (form === 'long')
          bytes = Buffer.concat([SAMPLE, Buffer.from(`\n${long.repeat(2)}`), SAMPLE]);
        const whole = read([bytes], max);
        assert.deepEqual(read(cut(bytes, at), max), {
          ...whole,
          positions: read(cut(bytes, at), max).positions,
        });
        assert.ok(whole.records.length >= 4);
      },
    ),
    { numRuns: 300 },
  );
});

test('reading that resumes at any position gives the rest, each record once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), (at) => {
      const pieces = cut(SAMPLE, at);
      const all = read([SAMPLE]).raws.map(({ text }) => text);
      const { positions } = read(pieces);
      for (const position of positions) {
        const before = read([SAMPLE]).raws.filter(({ end }) => end <= position).length;
        const after = read([SAMPLE.subarray(position)]).raws.map(({ text }) => text);
        assert.deepEqual(after, all.slice(before));
      }
    }),
  );
});

test('a line of 100 MB passes in little memory, cut and marked, and the next one is whole', () => {
  const time = new TimeReader(new LocalTime('UTC'));
  const raws: RawRecord[] = [];
  const assembler = new RecordAssembler({
    time,
    maxRecordBytes: 1 << 16,
    start: 0,
    out: (raw) => raws.push(raw),
  });
  assembler.push(Buffer.from('26/11/21 07:00:00 INFO A: '));
  const piece = Buffer.alloc(1 << 20, 'x');
  for (let i = 0; i < 100; i += 1) assembler.push(piece);
  assert.equal(assembler.position, 0);
  assembler.push(Buffer.from('\nmore of it\n26/11/21 07:00:01 INFO B: next\n'));
  assembler.flush();
  assert.deepEqual(
    raws.map(({ cut: isCut, text }) => [isCut, text.length]),
    [
      [true, 1 << 16],
      [false, 30],
    ],
  );
  assert.equal(raws[1]?.start, raws[0]?.end);
});

test('invalid UTF-8 is replaced and marked, a byte order mark is dropped', () => {
  const [record] = read([Buffer.from([0x41, 0xff, 0x42, 10])]).records;
  assert.equal(record?.message, 'A\ufffdB');
  assert.ok(record?.marks.includes('cleaned'));
  const [marked] = readText('\ufeff26/11/21 07:00:00 INFO A: one\r\n');
  assert.deepEqual([marked?.logger, marked?.message], ['A', 'one']);
});

test('control characters and colours are stripped, and marked', () => {
  const [record] = readText('26/11/21 07:00:00 INFO A: \u001b[31mred\u001b[0m\u0007 \u202eevil\n');
  assert.equal(record?.message, 'red evil');
  assert.deepEqual(record?.marks, ['cleaned']);
});

test('a time that cannot be is replaced by the time of reading, and marked', () => {
  for (const [line, mark] of [
    ['99/11/21 07:00:00 INFO A: future', 'time-implausible'],
    ['1999-11-21 07:00:00 INFO A: past', 'time-implausible'],
    ['no time at all', 'time-observed'],
  ] as const) {
    const [record] = readText(`${line}\n`);
    assert.equal(record?.at, OBSERVED);
    assert.deepEqual(record?.marks, [mark]);
  }
});

test('of a file that is read to its end nothing is held, though thousands are followed', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const assembler = new RecordAssembler({
    time: new TimeReader(new LocalTime('UTC')),
    maxRecordBytes: 1_048_576,
    start: 0,
    out: () => undefined,
  });
  const read = (): WeakRef<ArrayBufferLike> => {
    const piece = Buffer.allocUnsafeSlow(65_536).fill('{"message":"a whole line of JSON"}\n');
    const whole = piece.subarray(0, piece.lastIndexOf(10) + 1);
    assembler.push(whole);
    return new WeakRef(piece.buffer);
  };
  const first = read();
  assert.equal(assembler.waits, false);
  collect();
  // A reference that was just made holds until the turn is over.
  return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    collect();
    assert.equal(first.deref(), undefined);
    assert.equal(assembler.position > 0, true);
  });
});
