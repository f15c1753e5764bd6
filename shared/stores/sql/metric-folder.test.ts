import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { FolderPlace } from '../../../test/support/folder-place.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../values/instant.ts';
import { type MetricFileKind, metricFilePath } from './metric-file-name.ts';
import { MetricFolder } from './metric-folder.ts';
import { METRIC_LIMITS, type MetricLimits } from './metric-limits.ts';
import { MetricMinutesFile } from './metric-minutes-file.ts';
import { MetricRawFile } from './metric-raw-file.ts';

const TODAY = Date.UTC(2026, 10, 20);
const MORNING = TODAY + 8 * HOUR_MS;
const S1 = { source: 's', position: '1' };

class Place extends FolderPlace<MetricFolder, MetricLimits> {
  constructor(t: TestContext) {
    super(t, MORNING, (path, clock, limits) => {
      return new MetricFolder(path, clock, { ...METRIC_LIMITS, ...limits });
    });
  }

  override names(): string[] {
    return super.names().map((name) => name.replace('2026-11-', ''));
  }

  plant(kind: MetricFileKind, day: number, bytes = 0): void {
    const name = { day, part: 1 };
    const path = metricFilePath(this.path, kind, name);
    const file =
      kind === 'raw' ? new MetricRawFile(path, name, () => []) : new MetricMinutesFile(path);
    file[Symbol.dispose]();
    if (bytes > 0) truncateSync(path, bytes);
  }
}

function put(file: MetricRawFile, ...times: number[]): void {
  file.transaction(() => {
    const id = file.seriesId({ project: 'p', measurement: 'm', field: 'f', tags: '{}' });
    file.appendBatch({
      series: new Uint32Array(times.length).fill(id),
      at: Float64Array.from(times),
      value: new Float64Array(times.length).fill(1),
    });
  });
  file.tailGrew(times.length);
}

function unsealed(file: MetricRawFile): number[] {
  return file.unsealedHours().map(({ hour }) => (hour - TODAY) / HOUR_MS);
}

test('a file holds what comes in on one UTC day, and a clock set back keeps the newest', (t) => {
  const place = new Place(t);
  const folder = place.open();
  place.now = TODAY + DAY_MS - 1;
  assert.equal(folder.current().name.day, TODAY);
  place.now += 1;
  assert.equal(folder.current().name.day, TODAY + DAY_MS);
  place.now -= 3 * DAY_MS;
  assert.equal(folder.current().name.day, TODAY + DAY_MS);
  assert.equal(place.open().current().name.day, TODAY + DAY_MS);
});

test('checkpoints pass from file to file, over a crash at the change of files too', (t) => {
  const place = new Place(t);
  const first = place.open().current();
  first.transaction(() => first.putCheckpoints([S1, { source: '🙂', position: '2' }]));
  place.close();
  writeFileSync(metricFilePath(place.path, 'raw', { day: TODAY + DAY_MS, part: 1 }), '');
  place.now += DAY_MS;
  const second = place.open().current();
  assert.equal(second.name.day, TODAY + DAY_MS);
  assert.deepEqual(second.checkpoints(''), [S1, { source: '🙂', position: '2' }]);
  assert.deepEqual(second.checkpoints('🙂').length, 1);
  second.transaction(() => second.putCheckpoints([{ ...S1, position: '9' }]));
  assert.deepEqual(place.open().current().checkpoints('s'), [{ ...S1, position: '9' }]);
});

test('an hour is sealed when its grace is over, not a millisecond before', (t) => {
  const place = new Place(t);
  const folder = place.open({ sealGraceMs: 5 * MINUTE_MS });
  const file = folder.current();
  put(file, MORNING, MORNING + HOUR_MS);
  folder.compact(1_000);
  place.now = MORNING + HOUR_MS + 5 * MINUTE_MS - 1;
  assert.equal(folder.sealSome(), false);
  place.now += 1;
  assert.equal(folder.sealSome(), true);
  assert.deepEqual(unsealed(file), [9]);
  assert.equal(folder.sealSome(), false);
});

test('the hours of a file that was followed by another are all sealed, then it is let go', (t) => {
  const place = new Place(t);
  const folder = place.open();
  put(folder.current(), MORNING, TODAY + 5 * DAY_MS);
  place.now = TODAY + DAY_MS;
  put(folder.current(), place.now);
  assert.equal(folder.sealSome(), false, 'its tail comes first');
  folder.compact(1_000);
  while (folder.sealSome());
  assert.deepEqual(place.names(), ['metric-minutes-20', 'metrics-20', 'metrics-21']);
  place.now = TODAY + 3 * DAY_MS;
  folder.retain();
  assert.deepEqual(place.names(), ['metric-minutes-20', 'metrics-21']);
});

test('work that a restart found undone is done', (t) => {
  const place = new Place(t);
  put(place.open().current(), MORNING);
  place.now += DAY_MS;
  put(place.open().current(), place.now);
  const folder = place.open();
  folder.compact(1_000);
  while (folder.sealSome());
  assert.deepEqual(place.names(), ['metric-minutes-20', 'metrics-20', 'metrics-21']);
  const again = place.open();
  assert.equal(again.sealSome(), false);
});

test('raw points are not removed for their age before their minutes are written', (t) => {
  const place = new Place(t);
  const folder = place.open();
  put(folder.current(), MORNING);
  place.now += 10 * DAY_MS;
  folder.current();
  folder.retain();
  assert.ok(place.names().includes('metrics-20'));
  folder.compact(1_000);
  while (folder.sealSome());
  folder.retain();
  assert.deepEqual(place.names(), ['metric-minutes-20', 'metrics-30']);
});

test('raw files and minutes go at their own ages, to the millisecond', (t) => {
  const place = new Place(t);
  const limits = { rawRetentionMs: DAY_MS, minuteRetentionMs: 3 * DAY_MS };
  for (const kind of ['raw', 'minutes'] as const) place.plant(kind, TODAY - 4 * DAY_MS);
  place.now = TODAY - 2 * DAY_MS - 1;
  const folder = place.open(limits);
  folder.current();
  while (folder.sealSome());
  const after = (now: number): string[] => {
    place.now = now;
    folder.retain();
    return place.names();
  };
  assert.deepEqual(after(TODAY - 2 * DAY_MS - 1), [
    'metric-minutes-16',
    'metrics-16',
    'metrics-17',
  ]);
  assert.deepEqual(after(TODAY - 2 * DAY_MS), ['metric-minutes-16', 'metrics-17']);
  assert.deepEqual(after(TODAY - 1), ['metric-minutes-16', 'metrics-17']);
  assert.deepEqual(after(TODAY), ['metrics-17']);
});

test('of too many bytes raw files go before minutes, the oldest first, the current one never', (t) => {
  const place = new Place(t);
  for (const day of [TODAY - 2 * DAY_MS, TODAY - DAY_MS]) {
    place.plant('raw', day, 1_000_000);
    place.plant('minutes', day, 1_000_000);
  }
  const folder = place.open({ maxBytes: 3_500_000 });
  folder.current();
  folder.retain();
  assert.deepEqual(place.names(), [
    'metric-minutes-18',
    'metric-minutes-19',
    'metrics-19',
    'metrics-20',
  ]);
  const small = place.open({ maxBytes: 1 });
  const file = small.current();
  small.retain();
  assert.equal(place.names().length, 1);
  put(file, MORNING);
  assert.equal(file.tailPoints, 1);
});

test('a file that goes while it is sealed leaves the others to be sealed', (t) => {
  const place = new Place(t);
  const folder = place.open({ maxBytes: 1_000_000_000 });
  const file = folder.current();
  file.transaction(() => {
    for (let i = 0; i < 300; i += 1) {
      file.seriesId({ project: 'p', measurement: 'm', field: `f${i}`, tags: '{}' });
    }
  });
  put(file, MORNING);
  place.now += DAY_MS;
  put(folder.current(), place.now);
  folder.compact(1_000);
  assert.equal(folder.sealSome(), true, 'the first page of its series');
  truncateSync(file.path, 2_000_000_000);
  folder.retain();
  assert.equal(place.names().includes('metrics-20'), false);
  place.now += DAY_MS;
  assert.equal(folder.sealSome(), true, 'the hours of the next file');
  assert.ok(place.names().includes('metric-minutes-21'));
});
