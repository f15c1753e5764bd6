import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readApplicationMaster, readExecutorAdded, readResourceProfile } from './executor-event.ts';

const ADDED = {
  Timestamp: 5,
  'Executor ID': '7',
  'Executor Info': {
    Host: 'node-1',
    'Total Cores': 4,
    'Log Urls': { stdout: 'http://n:8042/node/containerlogs/container_e99_17_0493_01_000003/u' },
    Attributes: {},
    Resources: { gpu: { name: 'gpu', addresses: ['0', '1'] }, fpga: { addresses: ['a'] } },
    'Resource Profile Id': 3,
  },
};

test('an added executor is read with its container, cores and GPUs', () => {
  assert.deepEqual(readExecutorAdded(ADDED), {
    at: 5,
    executor: '7',
    host: 'node-1',
    cores: 4,
    gpus: 2,
    profile: 3,
    container: 'container_e99_17_0493_01_000003',
  });
});

test('the attributes of YARN name the container before its log addresses do', () => {
  const info = {
    ...ADDED['Executor Info'],
    Attributes: { CONTAINER_ID: 'container_1_1_01_000009' },
  };
  const added = readExecutorAdded({ ...ADDED, 'Executor Info': info });
  assert.equal(added?.container, 'container_1_1_01_000009');
});

test('an executor of Spark 1 has neither attributes nor resources nor a profile', () => {
  const added = readExecutorAdded({ ...ADDED, 'Executor Info': { Host: 'h', 'Total Cores': 8 } });
  assert.deepEqual(added, {
    at: 5,
    executor: '7',
    host: 'h',
    cores: 8,
    gpus: 0,
    profile: 0,
    container: undefined,
  });
});

test('without a time or an id there is no executor to count', () => {
  assert.equal(readExecutorAdded({ ...ADDED, Timestamp: '5' }), undefined);
  assert.equal(readExecutorAdded({ ...ADDED, 'Executor ID': 7 }), undefined);
  assert.equal(readExecutorAdded({ ...ADDED, Timestamp: 2 ** 60 }), undefined);
});

test('fields of a wrong kind are as good as missing', () => {
  for (const wrong of [null, 7, 'x', [], { gpu: null }, { gpu: { addresses: 'all' } }]) {
    const info = { 'Total Cores': '4', Resources: wrong, Attributes: wrong, 'Log Urls': wrong };
    const added = readExecutorAdded({ ...ADDED, 'Executor Info': info });
    assert.deepEqual([added?.cores, added?.gpus, added?.container], [0, 0, undefined]);
  }
});

test("only YARN's application master is read from the other processes", () => {
  const event = {
    time: 9,
    processId: 'yarn-am',
    info: {
      hostPort: 'node-2:8042',
      cores: 1,
      logUrlInfo: { stderr: 'x/container_1_1_01_000001/' },
    },
  };
  const master = readApplicationMaster(event);
  assert.deepEqual(
    [master?.at, master?.host, master?.container],
    [9, 'node-2', 'container_1_1_01_000001'],
  );
  assert.equal(readApplicationMaster({ ...event, processId: 'other' }), undefined);
  assert.equal(readApplicationMaster({ ...event, time: -1 }), undefined);
});

test('a profile gives what it asks and nothing else', () => {
  const profile = readResourceProfile({
    'Resource Profile Id': 1,
    'Executor Resource Requests': {
      memory: { Amount: 4096 },
      'pyspark.memory': { Amount: 512 },
      memoryOverhead: { Amount: -1 },
      gpu: { Amount: 1 },
    },
    'Task Resource Requests': { cpus: { Amount: 2.0 } },
  });
  assert.deepEqual(profile, { id: 1, request: { memoryMib: 4096, pysparkMib: 512, taskCpus: 2 } });
  assert.deepEqual(readResourceProfile({ 'Resource Profile Id': 0 }), { id: 0, request: {} });
  assert.equal(readResourceProfile({}), undefined);
});
