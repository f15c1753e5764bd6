import assert from 'node:assert/strict';
import test from 'node:test';
import { Metrics, printMetrics } from './metrics.ts';

test('counters add up and gauges replace, by labels in any order', () => {
  const metrics = new Metrics();
  const records = metrics.counter('records_total', 'Records.');
  records({ fate: 'kept', collector: 'logs' }, 2);
  records({ collector: 'logs', fate: 'kept' });
  const queue = metrics.gauge('queue_bytes', 'Bytes.');
  queue({}, 7);
  queue({}, 5);
  assert.equal(
    printMetrics([metrics.snapshot()]),
    '# HELP records_total Records.\n# TYPE records_total counter\n' +
      'records_total{collector="logs",fate="kept"} 3\n' +
      '# HELP queue_bytes Bytes.\n# TYPE queue_bytes gauge\nqueue_bytes 5\n',
  );
});

test('threads are printed as one exposition, each family once', () => {
  const [a, b] = [new Metrics(), new Metrics()];
  a.counter('records_total', 'Records.')({ collector: 'logs' }, 2);
  b.counter('records_total', 'Records.')({ collector: 'logs' }, 3);
  b.counter('records_total', 'Records.')({ collector: 'metrics' }, 1);
  const text = printMetrics([a.snapshot(), b.snapshot()]);
  assert.equal(text.match(/# TYPE records_total/g)?.length, 1);
  assert.match(text, /records_total\{collector="logs"\} 5\n/);
  assert.match(text, /records_total\{collector="metrics"\} 1\n/);
});

test('a label value cannot break the exposition', () => {
  const metrics = new Metrics();
  metrics.counter('a_total', 'A.')({ reason: 'x"}\n\\evil 1' });
  assert.match(printMetrics([metrics.snapshot()]), /a_total\{reason="x\\"\}\\n\\\\evil 1"\} 1\n$/);
});
