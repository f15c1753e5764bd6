import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { sharedDataFile } from '../../../../test/support/shared-data.ts';
import { type PrometheusSample, parsePrometheus } from './parse-prometheus.ts';
import { parseSparkName, type SparkName } from './spark-name.ts';
import { parseSparkPrometheusName } from './spark-prometheus-name.ts';

function named(name: string, type = 'gauges') {
  const found = parseSparkPrometheusName(name, type);
  if (found === undefined || found === 'twice') return found;
  const { measurement, field, namespace, executor, extra, scale } = found;
  return [measurement, field, namespace, executor, extra, scale];
}

function key({ measurement, field, namespace, executor, extra }: SparkName): string {
  return JSON.stringify([measurement, field, namespace, executor, extra]);
}

function sampleLines(file: string): PrometheusSample[] {
  const text = readFileSync(sharedDataFile(file), 'utf8');
  return [...parsePrometheus(text, 'text', 4_096)].map((fate) => {
    assert.equal(fate.fate, 'kept', JSON.stringify(fate));
    return (fate as { record: PrometheusSample }).record;
  });
}

test('a real driver has the same names here as it has in Graphite', () => {
  const graphite = new Set(
    readFileSync(sharedDataFile('spark4/graphite-4.1.2-standalone.txt'), 'utf8')
      .split('\n')
      .map((line) => parseSparkName(line.split(' ')[0] ?? '', 1))
      .filter((name) => name?.executor === 'driver')
      .map((name) => key(name as SparkName)),
  );
  const scraped = new Set<string>();
  let twice = 0;
  for (const { name, labels } of sampleLines('spark4/rest/driver_metrics_prometheus.txt')) {
    const found = parseSparkPrometheusName(name, labels.get('type'));
    assert.notEqual(found, undefined, name);
    if (found === 'twice') twice += 1;
    else scraped.add(key(found as SparkName));
  }
  assert.deepEqual(
    [...scraped].filter((name) => !graphite.has(name)),
    [],
  );
  // The query that failed had ended when the text was asked for.
  const missing = [...graphite].filter((name) => !scraped.has(name));
  assert.deepEqual(
    missing.filter((name) => !name.includes('{"query":"fails"}')),
    [],
  );
  assert.ok(twice > 100 && scraped.size > 300);
});

test('mangled ids, queries and pools have their dashes again', () => {
  const app = 'app-20261121072159-0000';
  const owner = 'metrics_app_20261121072159_0000_driver_';
  assert.deepEqual(named(`${owner}jvm_heap_used_Value`), [
    ...['jvm', 'heap.used', app, 'driver', {}, 1],
  ]);
  assert.equal(named(`${owner}jvm_heap_used_Number`), 'twice');
  assert.deepEqual(
    named('metrics_application_1605509647837_0001_driver_BlockManager_disk_diskSpaceUsed_MB_Value'),
    [
      ...[
        'BlockManager',
        'disk.diskSpaceUsed_MB',
        'application_1605509647837_0001',
        'driver',
        {},
        1,
      ],
    ],
  );
  const uuid = '67b9a43d_a947_48e8_906d_31f186369643';
  assert.deepEqual(named(`${owner}spark_streaming_${uuid}_inputRate_total_Value`), [
    ...['streaming', 'inputRate-total', app, 'driver', { query: uuid.replaceAll('_', '-') }, 1],
  ]);
  assert.deepEqual(named(`${owner}plugin_org_acme_Meter_rows_read_Count`, 'counters'), [
    ...['plugin', 'rows_read.count', app, 'driver', { plugin: 'org.acme.Meter' }, 1],
  ]);
  assert.deepEqual(named(`${owner}MySource_rows_read_Value`), [
    ...['MySource', 'rows_read', app, 'driver', {}, 1],
  ]);
  assert.deepEqual(
    named('metrics_local_1596020211915_driver_executor_threadpool_activeTasks_Value'),
    [...['executor', 'threadpool.activeTasks', 'local-1596020211915', 'driver', {}, 1]],
  );
});

test("a timer's durations are ms, as in Graphite; its rates and count stay", () => {
  const timer = 'metrics_app_20261121072159_0000_driver_DAGScheduler_messageProcessingTime_';
  const parts = ['Max', 'Count', 'OneMinuteRate', '999thPercentile', 'StdDev'].map((part) => {
    const found = parseSparkPrometheusName(timer + part, 'timers');
    assert.ok(found !== undefined && found !== 'twice');
    return [found.field, found.scale];
  });
  assert.deepEqual(parts, [
    ['messageProcessingTime.max', 1e-6],
    ['messageProcessingTime.count', 1],
    ['messageProcessingTime.m1_rate', 1],
    ['messageProcessingTime.p999', 1e-6],
    ['messageProcessingTime.stddev', 1e-6],
  ]);
  // A histogram's numbers are what it was given.
  const histogram = parseSparkPrometheusName(`${timer}Max`, 'histograms');
  assert.ok(histogram !== undefined && histogram !== 'twice' && histogram.scale === 1);
});

test('a namespace that is no application id ends before its executor and a source of Spark', () => {
  assert.deepEqual(named('metrics_my_orders_driver_x_driver_jvm_heap_used_Value'), [
    ...['jvm', 'heap.used', 'my_orders_driver_x', 'driver', {}, 1],
  ]);
  assert.deepEqual(named('metrics_orders_driver_spark_streaming_by_day_latency_Value'), [
    ...['streaming', 'latency', 'orders', 'driver', { query: 'by_day' }, 1],
  ]);
});

test('masters and workers, and what is none of Spark', () => {
  assert.deepEqual(named('metrics_master_aliveWorkers_Value')?.slice(0, 3), [
    ...['master', 'aliveWorkers', ''],
  ]);
  assert.deepEqual(named('metrics_worker_memFree_MB_Value')?.slice(0, 2), ['worker', 'memFree_MB']);
  assert.deepEqual(named('metrics_jvm_total_used_Value')?.slice(0, 2), ['jvm', 'total.used']);
  assert.deepEqual(named('metrics_application_orders_v1_1795245744000_cores_Value'), [
    ...['application', 'cores', '', '', { name: 'orders_v1', started: '1795245744000' }, 1],
  ]);
  for (const name of [
    'http_requests_total',
    'metrics_',
    'metrics_Value',
    'metrics_x_Value',
    'metrics_jvm_heap_used',
    'metrics_executor_rddBlocks',
    'metrics_constructor_x_Value',
    'metrics_app_20261121072159_0000_driver_toString_Value',
  ]) {
    assert.equal(named(name), undefined, name);
  }
});
