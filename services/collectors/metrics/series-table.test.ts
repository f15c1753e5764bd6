import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../../../shared/contracts/metric-point.ts';
import { SeriesTable } from './series-table.ts';

function newTable(limits = { maxSeriesPerProject: 2, maxNames: 5 }): SeriesTable {
  let refs = 0;
  const declare = (): number => refs++;
  return new SeriesTable({ declare }, limits);
}

function of(project: string, field = 'x', provisional = false) {
  const series: Series = { measurement: 'jvm', field, tags: { project } };
  return { series, provisional };
}

test('a known name leads to its ref', () => {
  const table = newTable();
  const { ref } = table.add('a', of('p'));
  assert.equal(table.get('a')?.ref, ref);
  assert.equal(table.get('b'), undefined);
});

test('a project has its own limit, and all names have one together', () => {
  const table = newTable();
  const refs = ['a', 'b', 'c'].map((name) => table.add(name, of('p')).ref);
  assert.deepEqual(refs, [0, 1, -1]);
  assert.equal(
    table.get('c')?.ref,
    -1,
    'a refused name is remembered, so that it is not read anew',
  );
  assert.equal(table.add('d', of('q')).ref, 2);
  assert.equal(table.add('e', of('r')).ref, 3);
  assert.equal(table.add('f', of('s')).ref, 4);
  assert.equal(table.add('g', of('t')).ref, -1);
  assert.equal(table.size, 5);
});

test('a name that was not seen for a generation makes room, and its ref can be released', () => {
  const table = newTable();
  table.add('old', of('p'));
  table.add('live', of('p'));
  table.sweep();
  table.get('live');
  assert.deepEqual(table.takeRetired(), []);
  table.sweep();
  assert.equal(table.get('old'), undefined);
  assert.equal(table.get('live')?.ref, 1);
  assert.deepEqual(table.takeRetired(), [0]);
  assert.deepEqual(table.takeRetired(), [], 'a ref is released once');
  assert.equal(table.add('new', of('p')).ref, 2);
});

test('a name whose project was not known is asked about again', () => {
  const table = newTable();
  table.add('a', of('unattributed', 'x', true));
  table.add('b', of('p'));
  table.forgetProvisional();
  assert.equal(table.get('a'), undefined);
  assert.equal(table.get('b')?.ref, 1);
  assert.deepEqual(table.takeRetired(), [0]);
});

test('values that the JVM has not are looked for only where it gives them', () => {
  const table = newTable({ maxSeriesPerProject: 10, maxNames: 10 });
  const check = (series: Series): string =>
    table.add(series.field, { series, provisional: false }).check;
  const jvm = (field: string): Series => ({ measurement: 'jvm', field, tags: { project: 'p' } });
  assert.equal(check(jvm('heap.max')), 'not-minus-one');
  assert.equal(check(jvm('heap.init')), 'not-minus-one');
  assert.equal(check(jvm('heap.usage')), 'ratio');
  assert.equal(check(jvm('heap.used')), 'none');
  assert.equal(check({ ...jvm('lag.max'), measurement: 'mine' }), 'none');
});
