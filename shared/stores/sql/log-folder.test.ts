import assert from 'node:assert/strict';
import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { AT, logRecord } from '../../../test/contracts/log-store-suite.ts';
import { FolderPlace } from '../../../test/support/folder-place.ts';
import { DAY_MS, utcDay } from '../../values/instant.ts';
import { LogFile } from './log-file.ts';
import { logFilePath } from './log-file-name.ts';
import { LogFolder } from './log-folder.ts';
import { LOG_LIMITS, type LogLimits } from './log-limits.ts';

const TODAY = utcDay(AT);
const S1 = { source: 's', position: '1' };

class Place extends FolderPlace<LogFolder, LogLimits> {
  constructor(t: TestContext) {
    super(t, AT, (path, clock, limits) => new LogFolder(path, clock, { ...LOG_LIMITS, ...limits }));
  }

  override names(): string[] {
    return super.names().map((name) => name.replace('logs-', ''));
  }

  /** A file of `day`, made large without writing it. */
  plant(day: number, bytes = 0, part = 1): void {
    const path = logFilePath(this.path, { day, part });
    new LogFile(path, { day, part }, () => [])[Symbol.dispose]();
    if (bytes > 0) truncateSync(path, bytes);
  }
}

test('the last millisecond of a day is in its file, the first of the next is not', (t) => {
  const place = new Place(t);
  const folder = place.open();
  place.now = TODAY + DAY_MS - 1;
  assert.equal(`${folder.current()}`, 'logs-2026-11-21.db');
  place.now += 1;
  assert.equal(`${folder.current()}`, 'logs-2026-11-22.db');
});

test('a clock that is set back keeps to the newest file', (t) => {
  const place = new Place(t);
  const folder = place.open();
  place.now += DAY_MS;
  folder.current();
  place.now -= 2 * DAY_MS;
  assert.equal(`${folder.current()}`, 'logs-2026-11-22.db');
  assert.equal(`${place.open().current()}`, 'logs-2026-11-22.db');
});

test('days without a line have no file; checkpoints pass over the gap', (t) => {
  const place = new Place(t);
  const file = place.open().current();
  file.transaction(() => file.putCheckpoints([S1]));
  place.now += 9 * DAY_MS;
  assert.deepEqual(place.open().current().checkpoints(''), [S1]);
  assert.deepEqual(place.names(), ['2026-11-21', '2026-11-30']);
});

test('a crash right after a new file was made loses no checkpoint', (t) => {
  const place = new Place(t);
  const file = place.open().current();
  file.transaction(() => file.putCheckpoints([S1]));
  place.close();
  place.now += DAY_MS;
  // Made by another run, which came no further: once with its tables, once without.
  place.plant(TODAY + DAY_MS);
  assert.deepEqual(place.open().current().checkpoints(''), [S1]);
  place.close();
  writeFileSync(logFilePath(place.path, { day: TODAY + DAY_MS, part: 2 }), '');
  assert.deepEqual(place.open().current().checkpoints(''), [S1]);
  assert.deepEqual(place.names(), ['2026-11-21', '2026-11-22', '2026-11-22.2']);
});

test('a day in parts goes on with its highest part after a restart', (t) => {
  const place = new Place(t);
  for (const part of [1, 2, 10]) place.plant(TODAY, 0, part);
  assert.equal(`${place.open().current()}`, 'logs-2026-11-21.10.db');
  assert.equal(`${place.open({ maxFileBytes: 1 }).current()}`, 'logs-2026-11-21.11.db');
});

test('a file goes when its whole day is past the limit of age, not a millisecond before', (t) => {
  const place = new Place(t);
  place.plant(TODAY - 3 * DAY_MS);
  place.plant(TODAY - 2 * DAY_MS);
  place.now = TODAY - 1;
  const folder = place.open({ retentionMs: 2 * DAY_MS });
  folder.current();
  folder.retain();
  assert.deepEqual(place.names(), ['2026-11-18', '2026-11-19', '2026-11-20']);
  place.now = TODAY;
  folder.retain();
  assert.deepEqual(place.names(), ['2026-11-19', '2026-11-20']);
});

test('of too many bytes the oldest files go, no more than needed, with all that belongs to them', (t) => {
  const place = new Place(t);
  for (let day = 4; day >= 1; day -= 1) place.plant(TODAY - day * DAY_MS, 1_000_000);
  const oldest = logFilePath(place.path, { day: TODAY - 4 * DAY_MS, part: 1 });
  for (const suffix of ['-wal', '-shm']) writeFileSync(oldest + suffix, 'left by a kill');
  const folder = place.open({ maxBytes: 2_500_000 });
  folder.current();
  folder.retain();
  assert.deepEqual(place.names(), ['2026-11-19', '2026-11-20', '2026-11-21']);
  assert.deepEqual(
    readdirSync(place.path).filter((name) => name.includes('11-17')),
    [],
  );
});

test('the file being written stays, however large and old it is', (t) => {
  const place = new Place(t);
  const folder = place.open({ maxBytes: 1, retentionMs: 0 });
  const file = folder.current();
  file.transaction(() => file.insert([logRecord()], AT));
  place.now += 100 * DAY_MS;
  folder.retain();
  assert.deepEqual(place.names(), ['2026-11-21.2']);
  file.transaction(() => file.insert([logRecord()], AT));
});

test('an id is known in the files of today and yesterday, and in no older one', (t) => {
  const place = new Place(t);
  const folder = place.open({ maxFileBytes: 1 });
  folder.current().addId('etl', 'first part');
  folder.current().addId('etl', 'second part');
  place.now += DAY_MS;
  folder.current();
  assert.ok(folder.hasId('etl', 'first part') && folder.hasId('etl', 'second part'));
  assert.equal(folder.hasId('ml', 'first part'), false);
  assert.ok(place.open().hasId('etl', 'first part'), 'after a restart too');
  place.now += DAY_MS;
  const again = place.open();
  again.current();
  assert.equal(again.hasId('etl', 'first part'), false);
});

test('files that retention takes while they are tidied are let go', (t) => {
  const place = new Place(t);
  const folder = place.open({ retentionMs: 0 });
  for (let day = 0; day < 4; day += 1) {
    const file = folder.current();
    file.transaction(() => file.insert([logRecord()], AT));
    place.now += DAY_MS;
  }
  folder.current();
  assert.deepEqual(place.names(), ['2026-11-25']);
  assert.equal(folder.tidy(), false);
});
