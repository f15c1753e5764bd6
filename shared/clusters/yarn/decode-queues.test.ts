import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { decodeInfo } from './decode-cluster.ts';
import { decodeQueues, decodeSchedulerConf, queueNamed } from './decode-queues.ts';

const read = (path: string): unknown => JSON.parse(readFileSync(sharedDataFile(path), 'utf8'));

function scheduler(...queues: object[]): unknown {
  const root = { type: 'capacityScheduler', queueName: 'root', queues: { queue: queues } };
  return { scheduler: { schedulerInfo: root } };
}

const leaf = (queueName: string, more: object = {}) => {
  return { type: 'capacitySchedulerLeafQueueInfo', queueName, state: 'RUNNING', ...more };
};

test('the queues of a real manager are read', () => {
  assert.deepEqual(decodeQueues(read('yarn/scheduler.json')), [
    { path: 'root.default', leaf: true, state: 'RUNNING', maximumApplications: 10_000 },
  ]);
});

test('an older manager tells no paths: they follow from the names', () => {
  const answer = scheduler(leaf('default'), {
    queueName: 'etl',
    state: 'RUNNING',
    queues: { queue: [leaf('nightly'), leaf('hourly', { maxApplications: 0 })] },
  });
  assert.deepEqual(
    decodeQueues(answer)?.map((queue) => [queue.path, queue.leaf, queue.maximumApplications]),
    [
      ['root.default', true, undefined],
      ['root.etl', false, undefined],
      ['root.etl.nightly', true, undefined],
      ['root.etl.hourly', true, 0],
    ],
  );
});

test('a queue below one that is stopped is as closed as that', () => {
  const etl = { queueName: 'etl', state: 'DRAINING', queues: { queue: [leaf('nightly')] } };
  const queues = decodeQueues(scheduler(etl)) ?? [];
  assert.equal(queueNamed(queues, 'root.etl.nightly')?.state, 'DRAINING');
});

test('a name alone is a queue only where one queue has it', () => {
  const below = (name: string) => ({ queueName: name, queues: { queue: [leaf('daily')] } });
  const queues = decodeQueues(scheduler(leaf('adhoc'), below('a'), below('b'))) ?? [];
  assert.equal(queueNamed(queues, 'adhoc')?.path, 'root.adhoc');
  assert.equal(queueNamed(queues, 'daily'), undefined);
  assert.equal(queueNamed(queues, 'root.b.daily')?.path, 'root.b.daily');
  assert.equal(queueNamed(queues, 'b.daily'), undefined);
});

test('another scheduler, and what is no answer, has no queues', () => {
  const fair = { scheduler: { schedulerInfo: { type: 'fairScheduler', rootQueue: {} } } };
  for (const answer of [fair, undefined, {}, { RemoteException: {} }, 'x', []]) {
    assert.equal(decodeQueues(answer), undefined);
    assert.equal(decodeSchedulerConf(answer), undefined);
    assert.equal(decodeInfo(answer), undefined);
  }
});

test('only one that has started and is active decides', () => {
  const { active, startedAt } = decodeInfo(read('yarn/info.json')) ?? {};
  assert.deepEqual([active, startedAt], [true, 1_795_247_888_953]);
  const info = (state: string, haState: string) => decodeInfo({ clusterInfo: { state, haState } });
  assert.deepEqual(info('STARTED', 'STANDBY'), {
    active: false,
    state: 'STANDBY',
    startedAt: undefined,
  });
  assert.equal(info('INITED', 'ACTIVE')?.active, false);
  assert.equal(info('STARTED', ''), undefined);
});

test('settings of the scheduler are read by their names, and the first one of a hostile answer does no harm', () => {
  const rows = [{ name: '__proto__', value: 'x' }, { name: 'a', value: '' }, { name: 'b' }, 7];
  const conf = decodeSchedulerConf({ property: rows });
  assert.deepEqual(
    [...(conf ?? [])],
    [
      ['__proto__', 'x'],
      ['a', ''],
      ['b', ''],
    ],
  );
});

test('whatever an answer holds, decoding gives queues with paths or nothing, and never throws', () => {
  const hostile = fc.jsonValue({ maxDepth: 5 });
  fc.assert(
    fc.property(hostile, hostile, (a, b) => {
      const row = { ...(typeof a === 'object' ? a : {}), queueName: 'x' };
      for (const { path } of decodeQueues(scheduler({ ...row, queues: { queue: b } })) ?? []) {
        assert.ok(path.length > 0);
      }
      decodeQueues({ scheduler: { schedulerInfo: a } });
      decodeSchedulerConf({ property: a });
      decodeInfo({ clusterInfo: a });
    }),
  );
});
