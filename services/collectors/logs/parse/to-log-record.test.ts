import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProjectId } from '../../../../shared/values/project-id.ts';
import { type JsonRecord, readJsonRecord } from './json-record.ts';
import { LocalTime } from './local-time.ts';
import { TimeReader } from './time-reader.ts';
import { type Origin, originOf } from './to-log-record.ts';

const DRIVER: Origin = {
  project: 'orders' as ProjectId,
  cluster: 'lab',
  application: 'application_1_0007',
  container: 'container_1_0007_01_000001',
};
const NOWHERE: Origin = { ...DRIVER, application: '', container: '' };

function record(json: Record<string, unknown>): JsonRecord {
  const read = readJsonRecord({ msg: 'm', ...json }, new TimeReader(new LocalTime('UTC')));
  assert.ok(read !== undefined);
  return read;
}

const place = (json: Record<string, unknown>, origin: Origin): string[] => {
  const found = originOf(record(json), origin);
  return [found?.application ?? 'none', found?.container ?? 'none'];
};

test("a driver's line about an executor stays the driver's", () => {
  const line = { context: { app_id: 'application_1_0003', executor_id: '3' } };
  assert.deepEqual(place(line, DRIVER), [DRIVER.application, DRIVER.container]);
  const driverLog = { ...DRIVER, container: '' };
  assert.deepEqual(place(line, driverLog), [DRIVER.application, '']);
  assert.deepEqual(place({ ...line, application: 'app-1' }, NOWHERE), ['app-1', '']);
});

test('what a line is about stands in where nothing says where it came from', () => {
  const line = { context: { app_id: 'application_1_0003', executor_id: '3' } };
  assert.deepEqual(place(line, NOWHERE), ['application_1_0003', '3']);
});

test('what a line says of itself wins over where it lay', () => {
  assert.deepEqual(place({ application: 'app-1', container: '4' }, DRIVER), ['app-1', '4']);
  assert.deepEqual(place({ container: '4' }, DRIVER), [DRIVER.application, '4']);
});
