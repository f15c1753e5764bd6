import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AT, logRecord, logStoreSuite } from '../../../test/contracts/log-store-suite.ts';
import { openLogBench } from '../../../test/support/open-log-bench.ts';
import { DAY_MS, MINUTE_MS } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import { openLogReader } from './log-reader.ts';
import { RowIds } from './log-row-id.ts';

const ETL = 'etl' as ProjectId;
const EVER = { from: 0, until: Date.UTC(2040, 0, 1), limit: 1_000 };

logStoreSuite('sqlite', () => openLogBench());

test('a new day begins a new file, with the checkpoints of the old one', async () => {
  await using bench = await openLogBench();
  const { writer, reader, clock } = bench;
  await writer.write({ records: [logRecord()], checkpoints: [{ source: 's', position: '1' }] });
  await clock.advance(DAY_MS);
  await writer.write({ records: [logRecord({ message: 'next' })], checkpoints: [] });
  assert.deepEqual(
    readdirSync(bench.folder).filter((name) => name.endsWith('.db')),
    ['logs-2026-11-21.db', 'logs-2026-11-22.db'],
  );
  assert.deepEqual(await writer.checkpoints('s'), [{ source: 's', position: '1' }]);
  assert.equal((await reader.search(ETL, EVER)).records.length, 2);
});

test('an id of yesterday is known today, also after a restart', async () => {
  await using bench = await openLogBench();
  const batch = { records: [logRecord({ id: 'x' })], checkpoints: [] };
  await bench.writer.write(batch);
  await bench.clock.advance(DAY_MS);
  assert.equal((await bench.writer.write(batch)).duplicates, 1);
  const writer = await bench.reopen();
  assert.equal((await writer.write(batch)).duplicates, 1);
});

test('late records of several files come in order of event time, page by page', async () => {
  await using bench = await openLogBench();
  const { writer, reader, clock } = bench;
  for (let day = 0; day < 3; day += 1) {
    const records = Array.from({ length: 20 }, (_, i) =>
      logRecord({ at: AT + i * 10 + day, message: `${i * 10 + day}` }),
    );
    await writer.write({ records, checkpoints: [] });
    await clock.advance(DAY_MS);
  }
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await reader.search(ETL, {
      ...EVER,
      limit: 7,
      ...(cursor === undefined ? {} : { cursor }),
    });
    seen.push(...page.records.map(({ message }) => message));
    cursor = page.cursor;
  } while (cursor !== undefined);
  const expected = seen.map(Number).toSorted((a, b) => b - a);
  assert.deepEqual(seen.map(Number), expected);
  assert.equal(seen.length, 60);
});

test('the same instants in two files are paged once each', async () => {
  await using bench = await openLogBench();
  const { writer, reader, clock } = bench;
  for (let day = 0; day < 2; day += 1) {
    const records = Array.from({ length: 10 }, (_, i) => logRecord({ message: `${day} ${i}` }));
    await writer.write({ records, checkpoints: [] });
    await clock.advance(DAY_MS);
  }
  const seen = new Set<string>();
  let cursor: string | undefined;
  let rows = 0;
  do {
    const page = await reader.search(ETL, {
      ...EVER,
      limit: 3,
      ...(cursor === undefined ? {} : { cursor }),
    });
    rows += page.records.length;
    for (const { message } of page.records) seen.add(message);
    cursor = page.cursor;
  } while (cursor !== undefined);
  assert.deepEqual([rows, seen.size], [20, 20]);
});

test('files over age go, and readers let go of them', async () => {
  await using bench = await openLogBench({ retentionMs: 2 * DAY_MS });
  const { writer, reader, clock } = bench;
  for (let day = 0; day < 5; day += 1) {
    await writer.write({ records: [logRecord({ message: `day ${day}` })], checkpoints: [] });
    await reader.search(ETL, EVER);
    await clock.advance(DAY_MS);
  }
  await writer.write({ records: [logRecord({ message: 'day 5' })], checkpoints: [] });
  const found = (await reader.search(ETL, EVER)).records.map(({ message }) => message).sort();
  assert.deepEqual(found, ['day 3', 'day 4', 'day 5']);
});

test('a file over its size is followed by a part, and the oldest go when all are over theirs', async () => {
  await using bench = await openLogBench({ maxFileBytes: 200_000, maxBytes: 2_000_000 });
  const { writer, reader, folder } = bench;
  for (let i = 0; i < 60; i += 1) {
    const records = Array.from({ length: 100 }, (_, k) =>
      logRecord({ at: AT + i * 100 + k, message: `${i}.${k} ${'word '.repeat(60)}` }),
    );
    await writer.write({ records, checkpoints: [{ source: 's', position: String(i) }] });
  }
  const names = readdirSync(folder).filter((name) => name.endsWith('.db'));
  assert.ok(names.length > 2 && !names.includes('logs-2026-11-21.db'), names.join());
  assert.deepEqual(await writer.checkpoints('s'), [{ source: 's', position: '59' }]);
  const page = await reader.search(ETL, { ...EVER, limit: 1 });
  assert.match(page.records[0]?.message ?? '', /^59\.99 /);
});

test('a disk without its reserve refuses, and says so', async () => {
  await using bench = await openLogBench({ diskReserveBytes: Number.MAX_SAFE_INTEGER });
  await assert.rejects(bench.writer.write({ records: [logRecord()], checkpoints: [] }), {
    code: 'DISK_FULL',
  });
});

test('more records in a second than its first millisecond has ids keep their exact time', async () => {
  await using bench = await openLogBench();
  const records = Array.from({ length: 20_000 }, (_, i) => logRecord({ message: `${i}` }));
  await bench.writer.write({ records, checkpoints: [] });
  await bench.writer.write({
    records: [logRecord({ at: AT + 1, message: 'later' })],
    checkpoints: [],
  });
  const exact = await bench.reader.search(ETL, { ...EVER, from: AT, until: AT + 1, text: '19999' });
  assert.deepEqual(
    exact.records.map(({ at }) => at),
    [AT],
  );
  const writer = await bench.reopen();
  await writer.write({ records, checkpoints: [] });
  assert.equal((await bench.reader.volume(ETL, 0)).records, 40_001);
});

test('times beyond what ids can hold are exact all the same', async () => {
  await using bench = await openLogBench();
  for (const at of [Date.UTC(1999, 0, 1), Date.UTC(2100, 0, 1)]) {
    await bench.writer.write({ records: [logRecord({ at })], checkpoints: [] });
    const query = { from: at, until: at + 1, limit: 10 };
    assert.deepEqual(
      (await bench.reader.search(ETL, query)).records.map((one) => one.at),
      [at],
    );
  }
});

test('row ids rise within an instant and never repeat', () => {
  const taken = new Set<number>();
  const ids = new RowIds((from, until) => {
    const inside = [...taken].filter((id) => id >= from && id < until);
    return inside.length === 0 ? undefined : Math.max(...inside);
  });
  for (let i = 0; i < 20_000; i += 1) {
    const id = ids.take(AT + (i % 3));
    assert.ok(!taken.has(id) && id < 2 ** 53);
    taken.add(id);
    if (i % 9_000 === 8_999) ids.forget();
  }
});

test('an index is merged behind a rollover, and finds the same', async () => {
  await using bench = await openLogBench();
  const { writer, reader, clock } = bench;
  for (let i = 0; i < 40; i += 1) {
    const records = Array.from({ length: 50 }, (_, k) =>
      logRecord({ message: `word${i} line ${k}` }),
    );
    await writer.write({ records, checkpoints: [] });
  }
  await clock.advance(DAY_MS);
  await writer.write({ records: [logRecord()], checkpoints: [] });
  for (let i = 0; i < 20; i += 1) await clock.advance(MINUTE_MS);
  assert.equal((await reader.search(ETL, { ...EVER, text: 'word17' })).records.length, 50);
});

test('a reader of an empty folder, or of one that is not there, finds nothing', async () => {
  const reader = await openLogReader({ folder: join(tmpdir(), 'no-such-folder-of-logs') });
  assert.deepEqual(await reader.search(ETL, EVER), { records: [] });
});
