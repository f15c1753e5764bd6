import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { AT, logRecord } from '../../../test/contracts/log-store-suite.ts';
import { type LogBench, openLogBench } from '../../../test/support/open-log-bench.ts';
import type { LogRecord } from '../../contracts/log-record.ts';
import { DAY_MS, HOUR_MS, utcHour } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { LogQuery, LogReader, StoredLog } from '../log-store.ts';
import { openLogReader } from './log-reader.ts';

const ETL = 'etl' as ProjectId;
const EVER: LogQuery = { from: 0, until: Date.UTC(2040, 0, 1), limit: 1_000 };

async function put(bench: LogBench, ...records: Partial<LogRecord>[]): Promise<void> {
  await bench.writer.write({ records: records.map((one) => logRecord(one)), checkpoints: [] });
}

async function pages(reader: LogReader, query: LogQuery): Promise<StoredLog[][]> {
  const found: StoredLog[][] = [];
  let cursor: string | undefined;
  do {
    const page = await reader.search(ETL, {
      ...query,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(page.records);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

test('pages of any size over any files hold each line once, in one order', async () => {
  const line = fc.record({
    file: fc.nat(3),
    at: fc.nat(3),
    message: fc.constantFrom('a x', 'b x'),
  });
  const lines = fc.array(line, { minLength: 1, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(lines, fc.integer({ min: 1, max: 9 }), async (given, limit) => {
      await using bench = await openLogBench();
      for (let file = 0; file <= 3; file += 1) {
        const inIt = given.filter((one) => one.file === file);
        await put(bench, ...inIt.map(({ at, message }) => ({ at: AT + at, message })));
        await bench.clock.advance(DAY_MS);
      }
      for (const text of ['', 'a', 'x']) {
        const whole = (await bench.reader.search(ETL, { ...EVER, text })).records;
        const wanted = given.filter(({ message }) => text === '' || message.includes(text));
        assert.equal(whole.length, wanted.length);
        assert.equal(new Set(whole.map(({ key }) => key)).size, whole.length);
        const times = whole.map(({ at }) => at);
        assert.deepEqual(
          times,
          times.toSorted((a, b) => b - a),
        );
        const paged = await pages(bench.reader, { ...EVER, text, limit });
        assert.deepEqual(paged.flat(), whole);
        assert.ok(paged.every((page, i) => page.length === limit || i === paged.length - 1));
      }
    }),
    { numRuns: 15 },
  );
});

test('a page goes on where it ended though newer lines, files and deletions come between', async () => {
  await using bench = await openLogBench({ retentionMs: 3 * DAY_MS });
  await put(bench, { message: 'gone with its file', at: AT - 5 });
  await bench.clock.advance(DAY_MS);
  await put(bench, ...[4, 3, 2, 1].map((n) => ({ message: `${n}`, at: AT + n })));
  const first = await bench.reader.search(ETL, { ...EVER, limit: 2 });
  assert.deepEqual(
    first.records.map(({ message }) => message),
    ['4', '3'],
  );
  await put(bench, { message: 'newer', at: AT + 9 });
  await bench.clock.advance(3 * DAY_MS);
  await put(bench, { message: 'of a new file', at: AT + 8 }, { message: 'late', at: AT + 1 });
  const cursor = first.cursor ?? assert.fail('there is more');
  const rest = await bench.reader.search(ETL, { ...EVER, cursor });
  assert.deepEqual(rest.records.map(({ message }) => message).sort(), ['1', '2', 'late']);
  assert.equal(rest.cursor, undefined);
});

test('the last page has no cursor, also when it is full', async () => {
  await using bench = await openLogBench();
  await put(bench, { message: '1' }, { message: '2' });
  assert.equal('cursor' in (await bench.reader.search(ETL, { ...EVER, limit: 2 })), false);
  assert.equal('cursor' in (await bench.reader.search(ETL, { ...EVER, limit: 1 })), true);
});

test('what is no cursor is refused, and one of another place finds what is before it', async () => {
  await using bench = await openLogBench();
  await put(bench, {});
  for (const cursor of ['', 'x', '1.2', "1.2.3'--", '1.2.3.4', 'A.B.1', '9'.repeat(99)]) {
    await assert.rejects(bench.reader.search(ETL, { ...EVER, cursor }), { code: 'BAD_REQUEST' });
  }
  assert.deepEqual((await bench.reader.search(ETL, { ...EVER, cursor: '0.0.1' })).records, []);
});

test('a window holds its first millisecond and not its last, in busy milliseconds too', async () => {
  await using bench = await openLogBench();
  const busy = Array.from({ length: 8_500 }, () => ({ at: AT, message: 'busy' }));
  await put(bench, ...busy, { at: AT + 1, message: 'next' }, { at: AT - 1, message: 'before' });
  const texts = async (from: number, until: number): Promise<string[]> => [
    ...new Set(
      (await pages(bench.reader, { ...EVER, from, until })).flat().map(({ message }) => message),
    ),
  ];
  assert.deepEqual(await texts(AT, AT + 1), ['busy']);
  assert.deepEqual(await texts(AT + 1, AT + 2), ['next']);
  assert.deepEqual(await texts(AT - 1, AT), ['before']);
  assert.deepEqual(await texts(AT, AT), []);
  assert.deepEqual(await texts(AT + 2, AT - 2), []);
  const all = (await pages(bench.reader, { ...EVER, from: AT, until: AT + 1 })).flat();
  assert.equal(all.length, 8_500);
});

test('limits that make no sense are bounded', async () => {
  await using bench = await openLogBench();
  await put(bench, ...Array.from({ length: 1_200 }, (_, i) => ({ at: AT + i })));
  const count = async (limit: number): Promise<number> =>
    (await bench.reader.search(ETL, { ...EVER, limit })).records.length;
  assert.deepEqual(
    [await count(-5), await count(0), await count(1.9), await count(1e9)],
    [1, 1, 1, 1_000],
  );
});

test('hostile texts in every field come back as they were and reach nobody else', async () => {
  await using bench = await openLogBench();
  const hostile = `'; DROP TABLE log; -- " * \0 %_ \n <script> __proto__ \ue000p1`;
  await put(
    bench,
    {
      message: hostile,
      logger: hostile,
      thread: hostile,
      cluster: hostile,
      application: '__proto__',
      container: 'constructor',
      id: hostile,
    },
    { message: 'secret', project: 'ml' as ProjectId },
  );
  const found = await bench.reader.search(ETL, { ...EVER, application: '__proto__' });
  assert.deepEqual(
    found.records.map(({ message, logger, thread, cluster, id }) => [
      ...new Set([message, logger, thread, cluster, id]),
    ]),
    [[hostile]],
  );
  assert.equal(
    (await bench.reader.search(ETL, { ...EVER, container: 'constructor' })).records.length,
    1,
  );
  assert.deepEqual((await bench.reader.search(ETL, { ...EVER, container: hostile })).records, []);
  for (const fingerprint of ['', hostile, '0123456789ABCDEF', '0123456789abcde*']) {
    assert.deepEqual((await bench.reader.search(ETL, { ...EVER, fingerprint })).records, []);
  }
  assert.deepEqual((await bench.reader.search('__proto__' as ProjectId, EVER)).records, []);
});

test('a message of a megabyte is stored whole and found by its last word', async () => {
  await using bench = await openLogBench();
  const message = `${'stack of frames\n\tat x.Y(Z.scala:1) '.repeat(30_000)}lastword`;
  await put(bench, { message }, { message: 'short' });
  const { records } = await bench.reader.search(ETL, { ...EVER, text: '"scala 1 lastword"' });
  assert.deepEqual(
    records.map((one) => one.message === message),
    [true],
  );
});

test('repeats are counted over files, the most frequent first, the newest as their example', async () => {
  await using bench = await openLogBench();
  const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(16));
  const line = (fingerprint = '', n = 0): Partial<LogRecord> => ({
    fingerprint,
    at: AT + n,
    message: `${n}`,
  });
  await put(bench, line(a, 1), line(b, 2), line(b, 3));
  await bench.clock.advance(DAY_MS);
  await put(bench, line(b, 0), line(c, 4), line(c, 5));
  const groups = await bench.reader.fingerprints(ETL, EVER);
  assert.deepEqual(
    groups.map(({ fingerprint, count, example }) => [fingerprint, count, example.message]),
    [
      [b, 3, '3'],
      [c, 2, '5'],
      [a, 1, '1'],
    ],
  );
  assert.equal((await bench.reader.fingerprints(ETL, { ...EVER, limit: 1 })).length, 1);
});

test('volume is of whole hours of arrival, over all files', async () => {
  await using bench = await openLogBench();
  await put(bench, { message: '12345' });
  await bench.clock.advance(DAY_MS);
  await put(bench, { message: '123' }, { message: '1', project: 'ml' as ProjectId });
  assert.deepEqual(await bench.reader.volume(ETL, 0), { records: 2, bytes: 8 });
  const hour = utcHour(bench.clock.now());
  assert.deepEqual(await bench.reader.volume(ETL, hour + HOUR_MS - 1), { records: 1, bytes: 3 });
  assert.deepEqual(await bench.reader.volume(ETL, hour + HOUR_MS), { records: 0, bytes: 0 });
  assert.deepEqual(await bench.reader.volume('no' as ProjectId, 0), { records: 0, bytes: 0 });
});

test('a file that is just being made is passed by until it has its tables', async () => {
  await using bench = await openLogBench();
  await put(bench, {});
  writeFileSync(join(bench.folder, 'logs-2026-11-22.db'), '');
  assert.equal((await bench.reader.search(ETL, EVER)).records.length, 1);
  await bench.clock.advance(DAY_MS);
  await put(bench, {});
  assert.equal((await bench.reader.search(ETL, EVER)).records.length, 2);
});

test('a damaged file in between is an error that names it, not a gap in the answer', async () => {
  await using bench = await openLogBench();
  await put(bench, {});
  writeFileSync(join(bench.folder, 'logs-2026-11-01.db'), 'no database, long enough '.repeat(99));
  await assert.rejects(bench.reader.search(ETL, EVER), {
    code: 'STORE_UNAVAILABLE',
    message: /logs-2026-11-01\.db is damaged/,
  });
  rmSync(join(bench.folder, 'logs-2026-11-01.db'));
  assert.equal((await bench.reader.search(ETL, EVER)).records.length, 1);
});

test('a reader opened after the writer was closed finds everything', async () => {
  await using bench = await openLogBench();
  await put(bench, { message: 'kept' });
  await bench.writer[Symbol.asyncDispose]();
  await using reader = await openLogReader({ folder: bench.folder });
  assert.equal((await reader.search(ETL, { ...EVER, text: 'kept' })).records.length, 1);
});
