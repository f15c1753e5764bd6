import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSparkName } from './spark-name.ts';

const APP = 'application_1628109047826_1317105';

/** What a name gives, in one line: measurement, field, owner, executor, extra tags. */
function read(name: string, prefixSegments = 0): string | undefined {
  const found = parseSparkName(name, prefixSegments);
  if (found === undefined) return undefined;
  const { measurement, field, prefix, namespace, isApplication, executor, extra } = found;
  const owner = `${prefix}|${isApplication ? 'app:' : ''}${namespace}|${executor}`;
  const tags = Object.entries(extra).map(([key, value]) => ` ${key}=${value}`);
  return `${measurement} ${field} ${owner}${tags.join('')}`;
}

const CASES: readonly (readonly [string, string, string, number?])[] = [
  [
    'an executor',
    `prod.${APP}.17.executor.cpuTime.count`,
    `executor cpuTime.count prod|app:${APP}|17`,
  ],
  [
    'a driver',
    `${APP}.driver.DAGScheduler.job.allJobs`,
    `DAGScheduler job.allJobs |app:${APP}|driver`,
  ],
  [
    'a prefix with dots',
    `eu.prod.${APP}.1.jvm.pools.G1-Old-Gen.used`,
    `jvm pools.G1-Old-Gen.used eu.prod|app:${APP}|1`,
  ],
  ['a namespace with dots', 'etl.v1.driver.jvm.heap.used', 'jvm heap.used |etl.v1|driver'],
  [
    'a prefix and a namespace with dots',
    'prod.etl.v1.driver.jvm.heap.used',
    'jvm heap.used prod|etl.v1|driver',
    1,
  ],
  [
    'a namespace that is all there is before the executor, whatever the prefix should be',
    'etl.driver.jvm.heap.used',
    'jvm heap.used |etl|driver',
    3,
  ],
  [
    'a Kubernetes application',
    'spark-0123456789abcdef0123456789abcdef.2.JVMCPU.jvmCpuTime',
    'JVMCPU jvmCpuTime |app:spark-0123456789abcdef0123456789abcdef|2',
  ],
  [
    'a listener class name with dots',
    'local-1.driver.LiveListenerBus.listenerProcessingTime.org.apache.spark.driver.Listener.p99',
    'LiveListenerBus listenerProcessingTime.org.apache.spark.driver.Listener.p99 |app:local-1|driver',
  ],
  [
    'a number that is no executor',
    'local-1.driver.executor.filesystem.3.executor_like.read',
    'executor filesystem.3.executor_like.read |app:local-1|driver',
  ],
  [
    'a streaming query by name, with dots and words of Spark in it',
    `p.${APP}.driver.spark.streaming.my.driver.jvm.query.inputRate-total`,
    `streaming inputRate-total p|app:${APP}|driver query=my.driver.jvm.query`,
  ],
  [
    'a streaming query by id',
    'ns.driver.spark.streaming.8aa333b3-8bd2-4f41-9d9e-67bfe256056a.latency',
    'streaming latency |ns|driver query=8aa333b3-8bd2-4f41-9d9e-67bfe256056a',
  ],
  [
    'a streaming query with two dots in its name',
    `${APP}.driver.spark.streaming.a..b.states-rowsTotal`,
    `streaming states-rowsTotal |app:${APP}|driver query=a..b`,
  ],
  [
    'the old streaming, by application name',
    'ns.driver.my.app.StreamingMetrics.streaming.lastCompletedBatch_processingDelay',
    'StreamingMetrics streaming.lastCompletedBatch_processingDelay |ns|driver name=my.app',
  ],
  [
    'a plugin',
    `${APP}.3.plugin.com.example.MyPlugin.cache.hits`,
    `plugin cache.hits |app:${APP}|3 plugin=com.example.MyPlugin`,
  ],
  [
    "a source of the user's",
    `${APP}.driver.MySource.rows.count`,
    `MySource rows.count |app:${APP}|driver`,
  ],
  ['a driver without application id', 'prod.jvm.heap.used', 'jvm heap.used prod||'],
  ['a master', 'prod.eu.master.aliveWorkers', 'master aliveWorkers prod.eu||'],
  ['a worker without prefix', 'worker.memFree_MB', 'worker memFree_MB ||'],
  [
    'an application at its master',
    'prod.application.orders.pipeline.v1.1795245719367.runtime_ms',
    'application runtime_ms prod|| name=orders.pipeline.v1 started=1795245719367',
  ],
  [
    'an application master',
    `prod.${APP}.applicationMaster.numExecutorsRunning`,
    `applicationMaster numExecutorsRunning prod|app:${APP}|`,
  ],
  [
    'a shuffle service',
    'prod.shuffleService.blockTransferRate.m1_rate',
    'shuffleService blockTransferRate.m1_rate prod||',
  ],
];

for (const [what, name, expected, prefixSegments] of CASES) {
  test(`reads ${what}`, () => assert.equal(read(name, prefixSegments), expected));
}

for (const name of [
  '',
  '.',
  'x',
  '__proto__',
  '__proto__.workers',
  'constructor.apps',
  'servers.web1.cpu.load',
  'driver.jvm',
  `${APP}.driver.jvm`,
  'a..driver.jvm.heap.used',
]) {
  test(`refuses ${JSON.stringify(name)}, which is no name of Spark's`, () =>
    assert.equal(parseSparkName(name, 0), undefined));
}

test('any owner and query come back whole', () => {
  const word = fc.stringMatching(/^[a-zA-Z0-9_-]{1,8}$/);
  const dotted = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'));
  fc.assert(
    fc.property(dotted, dotted, fc.nat(99), (prefix, query, executor) => {
      fc.pre(!/\bspark\.streaming\b/.test(`${prefix}.${query}`));
      assert.equal(
        read(`${prefix}.${APP}.${executor}.executor.runTime.count`),
        `executor runTime.count ${prefix}|app:${APP}|${executor}`,
      );
      assert.equal(
        read(`${prefix}.${APP}.driver.spark.streaming.${query}.latency`),
        `streaming latency ${prefix}|app:${APP}|driver query=${query}`,
      );
    }),
  );
});

test('a hostile name costs no more than a little time', () => {
  const name = `${'driver.'.repeat(150)}${'1.'.repeat(50)}x`.slice(0, 1024);
  assert.equal(parseSparkName(name, 0), undefined);
});
