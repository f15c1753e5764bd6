import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { HOUR_MS, MINUTE_MS } from '../../values/instant.ts';
import { ColumnEncoder, decodeColumns } from './metric-columns.ts';
import { compactTail } from './metric-compaction.ts';
import { minutesOfColumns } from './metric-minutes.ts';
import { MetricMinutesFile } from './metric-minutes-file.ts';
import { MetricRawFile } from './metric-raw-file.ts';
import { mergeChunks, type SealPosition, sealSome } from './metric-sealing.ts';

const DAY = Date.UTC(2026, 10, 20);
const T = DAY + 8 * HOUR_MS;

/** Series by number, instant, value. */
type Point = readonly [series: number, at: number, value: number];

class Files {
  readonly raw: MetricRawFile;
  readonly minutes: MetricMinutesFile;
  readonly #rawPath: string;
  readonly #minutesPath: string;

  constructor(t: TestContext) {
    const folder = mkdtempSync(join(tmpdir(), 'metric-sealing-'));
    this.#rawPath = join(folder, 'raw.db');
    this.#minutesPath = join(folder, 'minutes.db');
    this.raw = new MetricRawFile(this.#rawPath, { day: DAY, part: 1 }, () => []);
    this.minutes = new MetricMinutesFile(this.#minutesPath);
    t.after(() => {
      this.raw[Symbol.dispose]();
      this.minutes[Symbol.dispose]();
      rmSync(folder, { recursive: true });
    });
  }

  write(...points: readonly Point[]): void {
    this.raw.transaction(() => {
      const ids = points.map(([series]) =>
        this.raw.seriesId({ project: 'p', measurement: 'm', field: `f${series}`, tags: '{}' }),
      );
      this.raw.appendBatch({
        series: Uint32Array.from(ids),
        at: Float64Array.from(points, ([, at]) => at),
        value: Float64Array.from(points, ([, , value]) => value),
      });
    });
    this.raw.tailGrew(points.length);
  }

  compact(): void {
    while (compactTail(this.raw, 1_000) > 0);
  }

  /** Begins to seal the oldest hour that isn't. */
  begin(): SealPosition {
    const [open] = this.raw.unsealedHours();
    return { ...(open ?? assert.fail('no hour is open')), afterSeries: 0 };
  }

  seal(limit = 10): void {
    let position: SealPosition | undefined = this.begin();
    while (position !== undefined) position = sealSome(this.raw, this.minutes, position, limit);
  }

  rows(file: 'raw' | 'minutes', sql: string): Record<string, unknown>[] {
    using database = new DatabaseSync(file === 'raw' ? this.#rawPath : this.#minutesPath);
    return database.prepare(sql).all();
  }

  /** `field hour-relative minute: sum/count` of every stored minute. */
  sums(): string[] {
    return this.rows(
      'minutes',
      'SELECT field, hour, data FROM minutes JOIN series ON series.id = series ORDER BY field, hour',
    ).flatMap(({ field, data }) => {
      const { minute, sum, count } = minutesOfColumns(decodeColumns(data as Uint8Array));
      return [...minute].map((at, i) => `${field} ${(at - T) / MINUTE_MS}: ${sum[i]}/${count[i]}`);
    });
  }
}

test('a tail becomes chunks that end with their hour, and is gone', (t) => {
  const files = new Files(t);
  files.write([1, T + HOUR_MS, 3], [1, T, 1], [2, T, 9], [1, T + HOUR_MS - 1, 2], [1, T - 1, 0]);
  files.compact();
  assert.equal(files.raw.tailPoints, 0);
  assert.deepEqual(
    files
      .rows('raw', 'SELECT series, until_at FROM chunk ORDER BY id')
      .map((row) => [Number(row['series']), Number(row['until_at']) - T]),
    [
      [1, -1],
      [1, HOUR_MS - 1],
      [1, HOUR_MS],
      [2, 0],
    ],
  );
  assert.deepEqual(
    files.raw.unsealedHours().map(({ hour }) => (hour - T) / HOUR_MS),
    [-1, 0, 1],
  );
  assert.equal(compactTail(files.raw, 1_000), 0, 'nothing is left to do');
});

test('a long tail is compacted oldest first, in parts of about what is asked', (t) => {
  const files = new Files(t);
  for (let i = 0; i < 5; i += 1) files.write([1, T + 2 * i, i], [1, T + 2 * i + 1, i]);
  assert.equal(compactTail(files.raw, 3), 4);
  assert.equal(files.raw.tailPoints, 6);
  assert.equal(compactTail(files.raw, 1_000), 6);
  assert.equal(files.raw.tailPoints, 0);
});

test('chunks merge to one run in order of time, and the later written value stands', () => {
  const point = fc.tuple(fc.nat(20), fc.integer());
  const runs = fc.array(fc.array(point, { minLength: 1, maxLength: 8 }), { maxLength: 5 });
  fc.assert(
    fc.property(runs, (written) => {
      const expected = new Map<number, number>();
      const blobs = written.map((run) => {
        const unique = [...new Map(run)].sort(([a], [b]) => a - b);
        for (const [at, value] of unique) expected.set(at, value);
        const columns = [0, 1].map((i) => Float64Array.from(unique, (one) => one[i] ?? 0));
        return new ColumnEncoder().encode(columns, 0, unique.length).slice();
      });
      const { at, value } = mergeChunks(blobs);
      const merged = [...at].map((instant, i) => [instant, value[i]]);
      assert.deepEqual(
        merged,
        [...expected].sort(([a], [b]) => a - b),
      );
    }),
  );
});

test('sealing merges the chunks of an hour and writes its minutes, page by page of series', (t) => {
  const files = new Files(t);
  for (const minute of [0, 1, 0]) {
    files.write(...[1, 2, 3].map((n) => [n, T + minute * MINUTE_MS + n, n + minute] as const));
    files.compact();
  }
  let position: SealPosition | undefined = files.begin();
  let turns = 0;
  while (position !== undefined) {
    position = sealSome(files.raw, files.minutes, position, 2);
    turns += 1;
  }
  assert.equal(turns, 2);
  assert.deepEqual(files.raw.unsealedHours(), []);
  assert.equal(files.rows('raw', 'SELECT count(*) AS n FROM chunk')[0]?.['n'], 3);
  assert.deepEqual(files.sums(), [
    'f1 0: 1/1',
    'f1 1: 2/1',
    'f2 0: 2/1',
    'f2 1: 3/1',
    'f3 0: 3/1',
    'f3 1: 4/1',
  ]);
});

test('points that come in while an hour is sealed leave it open, and are in it the next time', (t) => {
  const files = new Files(t);
  files.write([1, T, 1], [2, T, 1]);
  files.compact();
  const next = sealSome(files.raw, files.minutes, files.begin(), 1);
  files.write([1, T + 1, 10]);
  files.compact();
  assert.equal(
    sealSome(files.raw, files.minutes, next ?? assert.fail('a page is left'), 9),
    undefined,
  );
  assert.equal(files.raw.unsealedHours().length, 1);
  assert.deepEqual(files.sums(), ['f1 0: 1/1', 'f2 0: 1/1']);
  files.seal();
  assert.deepEqual(files.sums(), ['f1 0: 11/2', 'f2 0: 1/1']);
});

test('sealing that was cut off between the two files is done again with the same result', (t) => {
  const files = new Files(t);
  files.write([1, T, 1]);
  files.compact();
  files.write([1, T, 2], [1, T + 1, 3]);
  files.compact();
  const cut = Object.create(files.raw, {
    transaction: { value: () => assert.fail('killed here') },
    chunks: { value: files.raw.chunks.bind(files.raw) },
    seriesAfter: { value: files.raw.seriesAfter.bind(files.raw) },
  }) as MetricRawFile;
  assert.throws(() => sealSome(cut, files.minutes, files.begin(), 9), /killed here/);
  assert.deepEqual(files.sums(), ['f1 0: 5/2']);
  assert.equal(files.raw.unsealedHours().length, 1);
  files.seal();
  assert.deepEqual(files.sums(), ['f1 0: 5/2']);
  sealSome(files.raw, files.minutes, { hour: T, version: 2, afterSeries: 0 }, 9);
  assert.deepEqual(files.sums(), ['f1 0: 5/2'], 'once more changes nothing');
});

test('a late point opens its sealed hour again', (t) => {
  const files = new Files(t);
  files.write([1, T, 4]);
  files.compact();
  files.seal();
  files.write([1, T + 1, 6]);
  files.compact();
  assert.deepEqual(
    files.raw.unsealedHours().map(({ hour }) => hour),
    [T],
  );
  files.seal();
  assert.deepEqual(files.sums(), ['f1 0: 10/2']);
});

test('a time that is no instant is refused before it can be stored, with the whole commit', (t) => {
  const files = new Files(t);
  for (const at of [T + 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 54, -9e15]) {
    assert.throws(() => files.write([1, T, 1], [1, at, 1]), /whole milliseconds/);
  }
  assert.deepEqual(files.rows('raw', 'SELECT * FROM batch'), []);
  assert.deepEqual(files.rows('raw', 'SELECT * FROM span'), []);
  files.write([1, -8.64e15, 1], [1, 8.64e15, 2]);
  files.compact();
  files.seal();
  files.seal();
  assert.deepEqual(files.raw.unsealedHours(), []);
});
