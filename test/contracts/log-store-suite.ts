import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LOG_LEVELS, type LogLevel, type LogRecord } from '../../shared/contracts/log-record.ts';
import type { LogQuery, LogReader, LogWriter, StoredLog } from '../../shared/stores/log-store.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';

/** A store of its own for each test. */
export interface LogStoreBench extends AsyncDisposable {
  readonly writer: LogWriter;
  readonly reader: LogReader;
}

export const AT = Date.UTC(2026, 10, 21, 8);
const ETL = 'etl' as ProjectId;

export function logRecord(over: Partial<LogRecord> = {}): LogRecord {
  return {
    at: AT,
    project: ETL,
    cluster: 'main',
    application: 'application_1_0001',
    container: 'container_1_0001_01_000002',
    level: 'INFO',
    logger: 'SparkContext',
    thread: 'main',
    message: 'Running Spark version 4.1.2',
    fingerprint: '0123456789abcdef',
    marks: [],
    ...over,
  };
}

const EVER: LogQuery = { from: 0, until: Date.UTC(2040, 0, 1), limit: 1_000 };

function bare({ key, ...record }: StoredLog): LogRecord {
  assert.ok(key !== '');
  return record;
}

/** What every log store does; run on each adapter. */
export function logStoreSuite(name: string, open: () => Promise<LogStoreBench>): void {
  const say = (text: string, run: (bench: LogStoreBench) => Promise<void>): void => {
    test(`${name}: ${text}`, async () => {
      await using bench = await open();
      await run(bench);
    });
  };
  const texts = async (reader: LogReader, query: Partial<LogQuery>): Promise<string[]> =>
    (await reader.search(ETL, { ...EVER, ...query })).records.map(({ message }) => message);

  say('a record comes back as it was stored', async ({ writer, reader }) => {
    const records = [
      logRecord({ message: 'one\n\tat x.Y(Z.scala:1)', marks: ['cut', 'masked'], at: AT + 1 }),
      logRecord({
        level: 'FATAL',
        thread: 'Executor task (TID 0)',
        message: 'äöü 日本 🙂',
        id: 'i1',
      }),
      logRecord({
        application: '',
        container: '',
        logger: '',
        thread: '',
        level: 'UNKNOWN',
        at: AT - 1,
      }),
    ];
    assert.deepEqual(await writer.write({ records, checkpoints: [] }), {
      stored: 3,
      duplicates: 0,
    });
    const page = await reader.search(ETL, EVER);
    assert.deepEqual(page.records.map(bare), records);
    assert.equal(page.cursor, undefined);
    assert.equal(new Set(page.records.map(({ key }) => key)).size, 3);
  });

  say('a project sees its own records only, whatever it asks for', async ({ writer, reader }) => {
    const other = 'billing' as ProjectId;
    const secret = logRecord({
      project: other,
      message: 'their secret plan',
      fingerprint: 'f'.repeat(16),
    });
    await writer.write({ records: [logRecord(), secret], checkpoints: [] });
    for (const text of [
      'secret',
      'p2',
      '\ue000p2',
      'a OR b',
      '"plan" OR "Spark"',
      'text:secret',
      'billing',
    ]) {
      assert.deepEqual(await texts(reader, { text }), [], text);
    }
    assert.deepEqual(await texts(reader, { fingerprint: 'f'.repeat(16) }), []);
    assert.deepEqual(await reader.fingerprints(ETL, { ...EVER, text: 'plan' }), []);
    assert.equal((await reader.search('nobody' as ProjectId, EVER)).records.length, 0);
    assert.equal((await reader.volume(ETL, 0)).records, 1);
    assert.equal((await reader.search(other, EVER)).records.length, 1);
  });

  say(
    'words are found whole, case ignored, apart at dots and underscores',
    async ({ writer, reader }) => {
      const message = 'ERROR: org.apache.spark.shuffle.FetchFailedException in task_0007 of Größe';
      await writer.write({ records: [logRecord({ message })], checkpoints: [] });
      for (const text of [
        'FetchFailedException',
        'fetchfailedexception',
        'org.apache.spark.shuffle.FetchFailedException',
        'shuffle error',
        '0007',
        'GRÖSSE größe'.split(' ')[1] ?? '',
        'fetchFail*',
        '"apache spark shuffle"',
        '"in task 0007"',
        'SparkContext',
        '',
      ]) {
        assert.equal((await texts(reader, { text })).length, 1, text);
      }
      for (const text of [
        'Failed',
        'Fetch',
        'task0007',
        '"spark apache"',
        '"error fetchfailedexception"',
        'shuffles',
      ]) {
        assert.equal((await texts(reader, { text })).length, 0, text);
      }
    },
  );

  say('hostile search text is only words', async ({ writer, reader }) => {
    await writer.write({ records: [logRecord({ message: 'near and not or' })], checkpoints: [] });
    for (const text of [
      '"',
      '""',
      '*',
      'NEAR(a b)',
      '^near',
      "'; DROP TABLE log; --",
      'a AND',
      '-near',
      '{x}:y',
      '\u0000',
      '((',
      'near*',
      '%_',
    ]) {
      await assert.doesNotReject(texts(reader, { text }), text);
    }
    assert.equal((await texts(reader, { text: 'NOT near' })).length, 1);
    await assert.rejects(texts(reader, { text: 'x'.repeat(2_000) }), { code: 'BAD_REQUEST' });
    await assert.rejects(texts(reader, { text: 'a*' }), { code: 'BAD_REQUEST' });
  });

  say(
    'filters narrow by time, level, application, container, fingerprint',
    async ({ writer, reader }) => {
      const records = LOG_LEVELS.map((level, i) =>
        logRecord({
          level,
          at: AT + i,
          application: `app-${i % 2}`,
          container: `c-${i % 3}`,
          fingerprint: String(i % 2).repeat(16),
          message: level,
        }),
      );
      await writer.write({ records, checkpoints: [] });
      const above = (level: LogLevel): string[] =>
        LOG_LEVELS.slice(LOG_LEVELS.indexOf(level)).toReversed();
      for (const minLevel of LOG_LEVELS)
        assert.deepEqual(await texts(reader, { minLevel }), above(minLevel));
      assert.deepEqual(await texts(reader, { from: AT + 2, until: AT + 4 }), ['INFO', 'DEBUG']);
      assert.deepEqual(await texts(reader, { application: 'app-1' }), ['ERROR', 'INFO', 'TRACE']);
      assert.deepEqual(await texts(reader, { container: 'c-2' }), ['ERROR', 'DEBUG']);
      assert.deepEqual(await texts(reader, { fingerprint: '1'.repeat(16), minLevel: 'WARN' }), [
        'ERROR',
      ]);
      assert.deepEqual(await texts(reader, { application: 'none' }), []);
    },
  );

  say('pages go newest first through all records, each once', async ({ writer, reader }) => {
    // Whole seconds, as layouts print them, and more than one to the millisecond.
    const records = Array.from({ length: 250 }, (_, i) =>
      logRecord({ at: AT + Math.floor(i / 50) * 1_000, message: `line ${i}` }),
    );
    await writer.write({ records: records.slice(100), checkpoints: [] });
    await writer.write({ records: records.slice(0, 100), checkpoints: [] });
    const seen: StoredLog[] = [];
    let cursor: string | undefined;
    do {
      const page = await reader.search(ETL, {
        ...EVER,
        limit: 40,
        ...(cursor === undefined ? {} : { cursor }),
      });
      seen.push(...page.records);
      cursor = page.cursor;
    } while (cursor !== undefined);
    assert.equal(new Set(seen.map(({ message }) => message)).size, 250);
    assert.equal(seen.length, 250);
    const times = seen.map(({ at }) => at);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => b - a),
    );
    await assert.rejects(reader.search(ETL, { ...EVER, cursor: '../x' }), { code: 'BAD_REQUEST' });
  });

  say('a record with an id is stored once, in and across batches', async ({ writer, reader }) => {
    const one = logRecord({ id: 'a' });
    const other = logRecord({ id: 'a', project: 'billing' as ProjectId });
    const first = await writer.write({ records: [one, one, other], checkpoints: [] });
    assert.deepEqual(first, { stored: 2, duplicates: 1 });
    const again = await writer.write({ records: [one, logRecord({ id: 'b' })], checkpoints: [] });
    assert.deepEqual(again, { stored: 1, duplicates: 1 });
    assert.equal((await texts(reader, {})).length, 2);
  });

  say('checkpoints are kept by source, and removed when empty', async ({ writer }) => {
    const put = (source: string, position: string) =>
      writer.write({ records: [], checkpoints: [{ source, position }] });
    await put('file:1', 'a');
    await put('file:2', 'b');
    await put('file%', 'c');
    await put('file:1', 'd');
    await put('file:2', '');
    assert.deepEqual(await writer.checkpoints('file:'), [{ source: 'file:1', position: 'd' }]);
    assert.equal((await writer.checkpoints('')).length, 2);
  });

  say('repeats are grouped by fingerprint, most frequent first', async ({ writer, reader }) => {
    const records = [3, 1, 2].flatMap((count, i) =>
      Array.from({ length: count }, (_, k) =>
        logRecord({ fingerprint: String(i).repeat(16), message: `kind ${i}`, at: AT + k }),
      ),
    );
    await writer.write({ records, checkpoints: [] });
    const groups = await reader.fingerprints(ETL, EVER);
    assert.deepEqual(
      groups.map(({ fingerprint, count, example }) => [fingerprint, count, example.message]),
      [
        ['0'.repeat(16), 3, 'kind 0'],
        ['2'.repeat(16), 2, 'kind 2'],
        ['1'.repeat(16), 1, 'kind 1'],
      ],
    );
    assert.equal((await reader.fingerprints(ETL, { ...EVER, limit: 1 })).length, 1);
  });

  say('lines are counted by application, most first', async ({ writer, reader }) => {
    const of = (application: string, cluster: string, count: number) =>
      Array.from({ length: count }, (_, k) =>
        logRecord({ application, cluster, message: `line ${k}`, at: AT + k, level: 'WARN' }),
      );
    const records = [
      ...of('a', 'main', 2),
      ...of('a', 'lab', 4),
      ...of('', 'main', 1),
      logRecord({ application: 'a', message: 'not a warning' }),
      logRecord({ application: 'b', level: 'WARN', project: 'billing' as ProjectId }),
    ];
    await writer.write({ records, checkpoints: [] });
    const query = { ...EVER, minLevel: 'WARN' as const };
    const { applications, complete } = await reader.countByApplication(ETL, query);
    assert.deepEqual(
      applications.map(({ cluster, application, count, newest }) => [
        ...[cluster, application, count],
        newest.message,
      ]),
      [
        ['lab', 'a', 4, 'line 3'],
        ['main', 'a', 2, 'line 1'],
        ['main', '', 1, 'line 0'],
      ],
    );
    assert.equal(complete, true);
    const cut = await reader.countByApplication(ETL, { ...query, limit: 2 });
    assert.deepEqual([cut.applications.length, cut.complete], [2, false]);
    const within = { ...query, from: AT + 3 };
    const late = await reader.countByApplication(ETL, within);
    assert.deepEqual(
      late.applications.map(({ cluster, count }) => [cluster, count]),
      [['lab', 1]],
    );
  });

  say('volume counts records and bytes of a project', async ({ writer, reader }) => {
    await writer.write({
      records: [logRecord({ message: 'abc' }), logRecord({ message: 'de' })],
      checkpoints: [],
    });
    assert.deepEqual(await reader.volume(ETL, 0), { records: 2, bytes: 5 });
    assert.deepEqual(await reader.volume('none' as ProjectId, 0), { records: 0, bytes: 0 });
  });

  test(`${name}: any records in any batches are found as a plain filter finds them`, async () => {
    const word = fc.constantFrom('alpha', 'beta', 'Gamma', 'delta_1', 'e.f');
    const one = fc.record({
      at: fc.integer({ min: AT, max: AT + 3 }),
      level: fc.constantFrom(...LOG_LEVELS),
      application: fc.constantFrom('a', 'b'),
      message: fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' ')),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(one, { maxLength: 20 }), { maxLength: 4 }),
        fc.record({
          from: fc.integer({ min: AT, max: AT + 2 }),
          text: fc.constantFrom('', 'ALPHA', 'gamma beta', 'delt*', '"alpha beta"'),
          minLevel: fc.constantFrom(...LOG_LEVELS),
        }),
        async (batches, { from, text, minLevel }) => {
          await using bench = await open();
          for (const batch of batches) {
            await bench.writer.write({
              records: batch.map((over) => logRecord(over)),
              checkpoints: [],
            });
          }
          const page = await bench.reader.search(ETL, { ...EVER, from, text, minLevel });
          const wanted = batches.flat().filter(({ at, level, message }) => {
            const words = message.toLowerCase().split(/[ ._]/);
            const has = (one: string): boolean => words.includes(one);
            const matches =
              text === '' ||
              (text === 'ALPHA' && has('alpha')) ||
              (text === 'gamma beta' && has('gamma') && has('beta')) ||
              (text === 'delt*' && has('delta')) ||
              (text === '"alpha beta"' && words.join(' ').includes('alpha beta'));
            return (
              at >= from && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(minLevel) && matches
            );
          });
          const key = ({
            at,
            level,
            application,
            message,
          }: Pick<LogRecord, 'at' | 'level' | 'application' | 'message'>) =>
            `${at} ${level} ${application} ${message}`;
          assert.deepEqual(page.records.map(key).sort(), wanted.map(key).sort());
        },
      ),
      { numRuns: 25 },
    );
  });
}
