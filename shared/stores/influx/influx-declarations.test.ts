import assert from 'node:assert/strict';
import test from 'node:test';
import type { Series } from '../../contracts/metric-point.ts';
import { InfluxDeclarations } from './influx-declarations.ts';
import { MetricSchema } from './metric-schema.ts';
import { SeriesBudget } from './series-budget.ts';

const schema = new MetricSchema([
  { measurement: 'jvm', fields: ['heap.*'], into: 'spark' },
  { measurement: 'executor', fields: ['*'], into: 'spark' },
]);

function series(measurement: string, field: string, executor = '1'): Series {
  return { measurement, field, tags: { project: 'p', executor } };
}

test('metrics of an executor share one series of the server', () => {
  const declarations = new InfluxDeclarations(schema, { maxRawSeries: 9, maxFields: 9 });
  const a = declarations.get(declarations.declare(series('jvm', 'heap.used')));
  const b = declarations.get(declarations.declare(series('executor', 'cpuTime.count')));
  assert.equal(a.key, b.key);
  assert.equal(a.key?.text, 'spark,executor=1,project=p');
  assert.deepEqual([a.field, b.field], ['jvm.heap.used=', 'executor.cpuTime.count=']);
});

test('a fate is known at the declaration, or when there is no room left', () => {
  const declarations = new InfluxDeclarations(schema, { maxRawSeries: 1, maxFields: 2 });
  const fate = (one: Series) => declarations.fateOf(declarations.get(declarations.declare(one)));
  assert.equal(fate(series('jvm', 'pools.x')), 'not-allowed');
  assert.equal(fate(series('other', 'x')), 'not-allowed');
  assert.equal(fate(series('executor', 'x', 'e'.repeat(20_000))), 'key-too-long');
  assert.equal(fate(series('executor', 'a')), undefined);
  assert.equal(fate(series('executor', 'b')), undefined);
  assert.equal(fate(series('executor', 'c')), 'field-limit');
  assert.equal(fate(series('executor', 'a', '2')), 'series-limit');
});

test('a series finds room when another has gone', () => {
  const declarations = new InfluxDeclarations(schema, { maxRawSeries: 1, maxFields: 9 });
  const first = declarations.declare(series('executor', 'a'));
  const second = declarations.declare(series('executor', 'a', '2'));
  assert.equal(declarations.fateOf(declarations.get(first)), undefined);
  assert.equal(declarations.fateOf(declarations.get(second)), 'series-limit');
  declarations.release([first]);
  assert.equal(declarations.fateOf(declarations.get(second)), undefined);
  assert.equal(declarations.declare(series('executor', 'b', '3')), first, 'the ref is used again');
});

test("the server's count bounds what may come, however little is live here", () => {
  const budget = new SeriesBudget(10);
  budget.countedByServer(8);
  assert.deepEqual([budget.admit(), budget.admit(), budget.admit()], [true, true, false]);
  budget.leave();
  assert.equal(budget.admit(), false, 'it stays in the server until its retention is over');
  budget.countedByServer(3);
  assert.equal(budget.admit(), true);
});
