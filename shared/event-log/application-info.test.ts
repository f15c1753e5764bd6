import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applicationInfo,
  mergeProperties,
  readApplicationStart,
  yarnContainer,
} from './application-info.ts';

const START = {
  'App Name': 'Nightly',
  'App ID': 'application_1_0001',
  User: 'alice',
  'App Attempt ID': '2',
  'Driver Attributes': { CONTAINER_ID: 'container_1_0001_02_000001', NM_HOST: 'node-3' },
};

test('the start of an application tells who, which attempt and where its driver is', () => {
  assert.deepEqual(readApplicationStart(START, 5, 'file'), {
    application: 'application_1_0001',
    attempt: '2',
    name: 'Nightly',
    user: 'alice',
    start: 5,
    driverContainer: 'container_1_0001_02_000001',
    driverHost: 'node-3',
  });
});

test('an application without an id has the name of its file', () => {
  assert.equal(readApplicationStart({}, 5, 'file').application, 'file');
});

test('names are cut to size', () => {
  const long = 'x'.repeat(100_000);
  const start = readApplicationStart({ 'App Name': long, 'App ID': long, User: long }, 5, '');
  assert.ok(start.name.length + start.application.length + start.user.length <= 1024);
});

test("the queue is YARN's default where the log doesn't say, and none elsewhere", () => {
  const start = readApplicationStart(START, 5, '');
  const queue = (properties: Record<string, string>, application = 'app-1') =>
    applicationInfo({ ...start, application }, '', new Map(Object.entries(properties))).queue;
  assert.equal(queue({ 'spark.yarn.queue': 'etl' }), 'etl');
  assert.equal(queue({ 'spark.master': 'yarn' }), 'default');
  assert.equal(queue({}, 'application_1_0001'), 'default');
  assert.equal(queue({ 'spark.master': 'spark://m:7077' }), '');
});

test('later properties win over earlier ones, which stay', () => {
  const first = mergeProperties(new Map(), { 'Spark Properties': { a: '1', b: '1' } });
  const second = mergeProperties(first, { 'Spark Properties': { b: '2', c: 3 } });
  assert.deepEqual(
    [...second],
    [
      ['a', '1'],
      ['b', '2'],
      ['c', ''],
    ],
  );
  assert.equal(first.get('b'), '1');
});

test('properties named like parts of prototypes are properties', () => {
  const event = JSON.parse('{"Spark Properties":{"__proto__":"x","constructor":"y"}}');
  const merged = mergeProperties(new Map(), event);
  assert.equal(merged.get('__proto__'), 'x');
  assert.equal(merged.get('constructor'), 'y');
  assert.equal(merged.get('toString'), undefined);
});

test('a flood of properties is cut', () => {
  const flood = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`k${n}`, 'v']));
  assert.equal(mergeProperties(new Map(), { 'Spark Properties': flood }).size, 10_000);
});

test('only what looks like a container of YARN is one', () => {
  assert.equal(yarnContainer({ CONTAINER_ID: 'nonsense' }, {}), undefined);
  assert.equal(yarnContainer({}, { stdout: 'http://m:8081/logPage/?appId=app-1' }), undefined);
  const epoch = 'container_e18_1628109047826_1317105_01_000002';
  assert.equal(yarnContainer({}, { stderr: `http://h/${epoch}/john/stderr` }), epoch);
});
