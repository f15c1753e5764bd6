import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applicationMasterResources,
  clusterManagerOf,
  driverResources,
  executorMemoryMib,
  type Launch,
  roundUpMemory,
  taskCpus,
} from './container-size.ts';

function launch(properties: Record<string, string>, application = 'app-1'): Launch {
  const configuration = new Map(Object.entries(properties));
  return { configuration, manager: clusterManagerOf(configuration, application) };
}
const YARN = { 'spark.master': 'yarn' };

test('an executor on YARN takes its heap and a tenth, or 384 MiB where that is more', () => {
  assert.equal(executorMemoryMib(launch(YARN), {}), 1024 + 384);
  const large = launch({ ...YARN, 'spark.executor.memory': '10g' });
  assert.equal(executorMemoryMib(large, {}), 10_240 + 1024);
});

test('an overhead that is named counts before a factor, a factor before the default', () => {
  const base = { ...YARN, 'spark.executor.memory': '10g' };
  const factor = { ...base, 'spark.executor.memoryOverheadFactor': '0.2' };
  assert.equal(executorMemoryMib(launch(factor), {}), 10_240 + 2048);
  const named = { ...factor, 'spark.executor.memoryOverhead': '512m' };
  assert.equal(executorMemoryMib(launch(named), {}), 10_240 + 512);
  const old = { ...base, 'spark.yarn.executor.memoryOverhead': '700' };
  assert.equal(executorMemoryMib(launch(old), {}), 10_240 + 700);
  const minimum = { ...YARN, 'spark.executor.minMemoryOverhead': '500m' };
  assert.equal(executorMemoryMib(launch(minimum), {}), 1024 + 500);
});

test("Kubernetes' factor for Python and R applies there", () => {
  const properties = {
    'spark.master': 'k8s://https://host',
    'spark.executor.memory': '2g',
    'spark.kubernetes.memoryOverheadFactor': '0.4',
  };
  assert.equal(executorMemoryMib(launch(properties), {}), 2048 + 819);
});

test("off-heap memory counts when it is on, Python's only in Python applications", () => {
  const properties = {
    ...YARN,
    'spark.memory.offHeap.size': '1073741824',
    'spark.executor.pyspark.memory': '600m',
  };
  assert.equal(executorMemoryMib(launch(properties), {}), 1408);
  const on = { ...properties, 'spark.memory.offHeap.enabled': 'true' };
  assert.equal(executorMemoryMib(launch(on), {}), 1408 + 1024);
  const python = { ...on, 'spark.yarn.isPython': 'true' };
  assert.equal(executorMemoryMib(launch(python), {}), 1408 + 1024 + 600);
});

test('what a resource profile asks replaces the configuration', () => {
  const properties = { ...YARN, 'spark.executor.memory': '1g', 'spark.yarn.isPython': 'true' };
  const request = { memoryMib: 4096, overheadMib: 100, offHeapMib: 50, pysparkMib: 7 };
  assert.equal(executorMemoryMib(launch(properties), request), 4253);
  assert.equal(executorMemoryMib(launch(properties), { memoryMib: 8192 }), 8192 + 819);
});

test('the standalone master grants the heap alone, and local mode is the driver', () => {
  const standalone = { 'spark.master': 'spark://host:7077', 'spark.executor.memory': '700m' };
  assert.equal(executorMemoryMib(launch(standalone), {}), 700);
  const local = { 'spark.master': 'local[4]', 'spark.driver.memory': '3g' };
  assert.equal(executorMemoryMib(launch(local), {}), 3072);
});

test('a redacted master is known by the id that it gave', () => {
  const redacted = new Map([['spark.master', '*********(redacted)']]);
  assert.equal(clusterManagerOf(redacted, 'application_1_0001'), 'yarn');
  assert.equal(clusterManagerOf(redacted, 'app-20200706201101-0003'), 'standalone');
  assert.equal(clusterManagerOf(redacted, 'spark-abc'), 'other');
  assert.equal(clusterManagerOf(new Map([['spark.master', 'yarn-cluster']]), ''), 'yarn');
});

test('the driver is a container with overhead in cluster mode only', () => {
  const client = { ...YARN, 'spark.driver.memory': '2g', 'spark.driver.cores': '2' };
  assert.deepEqual(driverResources(launch(client)), { millicores: 2000, memoryMib: 2048, gpus: 0 });
  const cluster = {
    ...client,
    'spark.submit.deployMode': 'cluster',
    'spark.driver.resource.gpu.amount': '1',
  };
  assert.deepEqual(driverResources(launch(cluster)), {
    millicores: 2000,
    memoryMib: 2432,
    gpus: 1,
  });
  assert.equal(driverResources(launch({})).memoryMib, 1024);
});

test("YARN's application master has its own options", () => {
  const size = (properties: Record<string, string>) =>
    applicationMasterResources(new Map(Object.entries(properties)));
  assert.deepEqual(size({}), { millicores: 1000, memoryMib: 896, gpus: 0 });
  const own = {
    'spark.yarn.am.memory': '1g',
    'spark.yarn.am.cores': '2',
    'spark.yarn.am.memoryOverhead': '100',
  };
  assert.deepEqual(size(own), { millicores: 2000, memoryMib: 1124, gpus: 0 });
});

test("memory is rounded up to YARN's step, and left alone without one", () => {
  const resources = { millicores: 1, memoryMib: 1408, gpus: 0 };
  assert.equal(roundUpMemory(resources, 1024).memoryMib, 2048);
  assert.equal(roundUpMemory(resources, 0).memoryMib, 1408);
});

test('a task takes at least one CPU', () => {
  assert.equal(taskCpus(new Map(), {}), 1);
  assert.equal(taskCpus(new Map([['spark.task.cpus', '2']]), {}), 2);
  assert.equal(taskCpus(new Map([['spark.task.cpus', '2']]), { taskCpus: 4 }), 4);
  assert.equal(taskCpus(new Map([['spark.task.cpus', 'nonsense']]), { taskCpus: 0 }), 1);
});
