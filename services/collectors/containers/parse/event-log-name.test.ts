import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rollingLogName, singleLogName } from './event-log-name.ts';

test('a log keeps its name while it is written, compressed or not', () => {
  for (const name of [
    'application_17_0003_2',
    'application_17_0003_2.inprogress',
    'application_17_0003_2.zstd',
    'application_17_0003_2.lz4.inprogress',
  ]) {
    const parsed = singleLogName(name);
    assert.equal(parsed?.log, 'application_17_0003_2');
    assert.equal(parsed?.inProgress, name.endsWith('.inprogress'));
    assert.deepEqual(parsed?.fallback, { application: 'application_17_0003', attempt: '2' });
  }
  assert.deepEqual(singleLogName('local-1')?.fallback, { application: 'local-1', attempt: '' });
});

test('names that no event log has are passed over', () => {
  for (const name of ['.app.crc', '_SUCCESS', 'app.crc', 'app.tmp', 'appstatus_x', '.zstd', '']) {
    assert.equal(singleLogName(name), undefined);
  }
});

const numbers = (files: readonly string[]) =>
  rollingLogName('eventlog_v2_app', files)?.parts.map(({ number, compacted }) =>
    compacted ? `${number} compacted` : `${number}`,
  );

test('the parts of a rolling log are put in order of their numbers', () => {
  const files = ['events_10_app.zstd', 'events_2_app.zstd', 'events_1_app.zstd', 'appstatus_app'];
  assert.deepEqual(numbers(files), ['1', '2', '10']);
  assert.equal(rollingLogName('eventlog_v2_app', files)?.inProgress, false);
  assert.equal(rollingLogName('eventlog_v2_app', ['appstatus_app.inprogress'])?.inProgress, true);
  assert.equal(rollingLogName('eventlog_v2_app', [])?.inProgress, true);
  assert.equal(rollingLogName('spark-events', files), undefined);
});

test('a compacted part stands for those before it, unless these are all still there', () => {
  const compact = 'events_2_app.zstd.compact';
  assert.deepEqual(numbers([compact, 'events_3_app.zstd', 'events_2_app.zstd']), [
    '2 compacted',
    '3',
  ]);
  assert.deepEqual(
    numbers([compact, 'events_1_app.zstd', 'events_2_app.zstd', 'events_3_app.zstd']),
    ['1', '2', '3'],
  );
  assert.deepEqual(numbers(['events_2_a.compact', 'events_4_a.compact', 'events_5_a']), [
    '4 compacted',
    '5',
  ]);
});

test('a rolling log’s name tells the application and attempt that its events may lack', () => {
  assert.deepEqual(rollingLogName('eventlog_v2_application_17_0003_1', [])?.fallback, {
    application: 'application_17_0003',
    attempt: '1',
  });
});
