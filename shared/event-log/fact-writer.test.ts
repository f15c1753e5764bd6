import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../errors/assert.ts';
import { parseProjectId } from '../values/project-id.ts';
import type { ApplicationInfo } from './application-info.ts';
import { FactWriter, type StartedContainer } from './fact-writer.ts';

const INFO: ApplicationInfo = {
  application: 'app-1',
  attempt: '1',
  name: 'Nightly',
  user: 'alice',
  queue: 'etl',
  sparkVersion: '4.1.2',
  start: 100,
  tags: { team: 'a' },
  configuration: new Map([['spark.secret', 'hunter2']]),
};
const ATTRIBUTION = { project: must(parseProjectId('etl'), 'a project id'), rule: 3 };
const EXECUTOR: StartedContainer = {
  key: '7',
  container: undefined,
  role: 'executor',
  resources: { millicores: 1000, memoryMib: 1408, gpus: 0 },
  host: 'node-1',
  at: 110,
};
const REAL = { at: 200, reason: 'application ended', inferred: false };
const writer = () => new FactWriter('c', 'app-1', '1');

test('an application is told with its project, and without its configuration', () => {
  const facts = writer();
  facts.applicationSeen(INFO, ATTRIBUTION);
  const [fact] = facts.take();
  assert.deepEqual(fact, {
    kind: 'application-seen',
    id: 'c/event-log/app-1/1/application/seen/1',
    cluster: 'c',
    witness: 'event-log',
    at: 100,
    application: 'app-1',
    attempt: '1',
    name: 'Nightly',
    user: 'alice',
    queue: 'etl',
    project: 'etl',
    rule: 3,
    tags: { team: 'a' },
    url: '',
  });
  assert.deepEqual(facts.take(), []);
});

test('a container starts with its resources and stops with the reason', () => {
  const facts = writer();
  facts.start(EXECUTOR);
  assert.equal(facts.stop('7', REAL), 200);
  const [start, stop] = facts.take();
  const common = {
    cluster: 'c',
    witness: 'event-log',
    application: 'app-1',
    attempt: '1',
    container: 'app-1/1/7',
    role: 'executor',
    host: 'node-1',
  };
  assert.deepEqual(start, {
    ...common,
    kind: 'container-started',
    id: 'c/event-log/app-1/1/container/7/started',
    at: 110,
    resources: EXECUTOR.resources,
    reason: '',
  });
  assert.deepEqual(stop, {
    ...common,
    kind: 'container-stopped',
    id: 'c/event-log/app-1/1/container/7/stopped',
    at: 200,
    resources: { millicores: 0, memoryMib: 0, gpus: 0 },
    reason: 'application ended',
  });
});

test('an inferred end has an id of its own, so that the real one can still come', () => {
  const ids = (inferred: boolean) => {
    const facts = writer();
    facts.start(EXECUTOR);
    facts.stopAll({ ...REAL, inferred });
    facts.applicationEnded(INFO, ATTRIBUTION, { ...REAL, inferred });
    return facts.take().map(({ id }) => id.replace('c/event-log/app-1/1/', ''));
  };
  assert.deepEqual(ids(false).slice(1), ['container/7/stopped', 'application/ended']);
  assert.deepEqual(ids(true).slice(1), [
    'container/7/stopped-inferred/200',
    'application/ended-inferred/200',
  ]);
});

test('what is not open cannot stop', () => {
  const facts = writer();
  assert.equal(facts.stop('7', REAL), undefined);
  facts.start(EXECUTOR);
  facts.stop('7', REAL);
  assert.equal(facts.stop('7', REAL), undefined);
  assert.equal(facts.isOpen('7'), false);
  assert.equal(facts.take().length, 2);
});

test('stopping all tells how many ended before they began', () => {
  const facts = writer();
  facts.start(EXECUTOR);
  facts.start({ ...EXECUTOR, key: '8', at: 300 });
  assert.equal(facts.stopAll(REAL), 1);
  assert.deepEqual(
    facts.take().map(({ at }) => at),
    [110, 300, 200, 300],
  );
});

test('evidence names open containers only, and never before their start', () => {
  const facts = writer();
  facts.start(EXECUTOR);
  facts.start({ ...EXECUTOR, key: '8', container: 'container_1_1_01_000002', at: 300 });
  facts.start({ ...EXECUTOR, key: '9' });
  facts.stop('9', REAL);
  assert.deepEqual(facts.evidence(250), [
    { cluster: 'c', container: 'app-1/1/7', until: 250 },
    { cluster: 'c', container: 'container_1_1_01_000002', until: 300 },
  ]);
});
