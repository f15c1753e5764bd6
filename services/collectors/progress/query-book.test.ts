import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import {
  emptyState,
  type PartitionSample,
  type QueryState,
  type WindowBatch,
} from './parse/query-state.ts';
import { printQueryState } from './parse/query-state-json.ts';
import { QueryBook, queryKey } from './query-book.ts';

const LIMITS = { maxQueries: 3, maxSamples: 10 };

function aState(query: string, samples = 1): QueryState {
  const partitions = new Map<string, PartitionSample>();
  for (let i = 0; i < samples; i += 1) {
    partitions.set(`t\n${i}`, { topic: 't', partition: String(i), end: i, lag: 0 });
  }
  const batch: WindowBatch = { run: 'r', batch: 1, idle: false, start: 1, end: 2, partitions };
  return { ...emptyState({ project: 'etl', cluster: 'c', query }), window: [batch] };
}

function key(query: string): string {
  return queryKey(emptyState({ project: 'etl', cluster: 'c', query }), '');
}

/** Stages and accepts; what would be stored, by slot. */
function put(book: QueryBook, states: readonly (QueryState | [string, null])[], heardAt = 1) {
  const changed = new Map<string, QueryState | null>();
  for (const state of states) {
    if ('query' in state) changed.set(key(state.query), state);
    else changed.set(key(state[0]), null);
  }
  const staged = book.stage(changed, heardAt);
  book.accept(staged);
  return staged;
}

function queries(book: QueryBook): string[] {
  return [...book].map(([, { query }]) => query);
}

test('what was staged but not accepted never was', () => {
  const book = new QueryBook(LIMITS, [], 0);
  const first = book.stage(new Map([[key('a'), aState('a')]]), 1);
  assert.equal(book.size, 0);
  assert.equal(book.get(key('a')), undefined);
  const again = book.stage(new Map([[key('a'), aState('a')]]), 1);
  assert.deepEqual(again.checkpoints, first.checkpoints, 'the slot is still free');
});

test('a book opened on its checkpoints is the same book', () => {
  const book = new QueryBook(LIMITS, [], 0);
  const stored = new Map<string, Checkpoint>();
  for (const states of [
    [aState('a'), aState('b')],
    [['a', null] as [string, null]],
    [aState('c')],
  ]) {
    for (const point of put(book, states).checkpoints) stored.set(point.source, point);
  }
  const reopened = new QueryBook(LIMITS, [...stored.values()], 77);
  assert.deepEqual(queries(reopened).toSorted(), ['b', 'c']);
  assert.deepEqual(reopened.get(key('b')), aState('b'));
  assert.deepEqual(
    [...reopened].map(([, , heardAt]) => heardAt),
    [77, 77],
  );
  const { checkpoints } = put(reopened, [aState('d')]);
  assert.equal(stored.has(checkpoints[0]?.source ?? ''), false, 'both slots are taken');
});

test('the query heard of longest ago makes room, and its slot is used again', () => {
  const book = new QueryBook(LIMITS, [], 0);
  const slots = new Map<string, string>();
  for (const query of ['a', 'b', 'c', 'a']) {
    slots.set(query, put(book, [aState(query)]).checkpoints[0]?.source ?? '');
  }
  const { checkpoints, evicted } = put(book, [aState('d')]);
  assert.equal(evicted, 1);
  assert.deepEqual(queries(book), ['c', 'a', 'd']);
  assert.deepEqual(
    checkpoints.map(({ source }) => source),
    [slots.get('b')],
  );
});

test('many samples make room too, and an unused slot is emptied', () => {
  const book = new QueryBook(LIMITS, [], 0);
  put(book, [aState('a', 4)]);
  put(book, [aState('b', 4)]);
  const { checkpoints, evicted } = put(book, [aState('c', 10)]);
  assert.equal(evicted, 2);
  assert.deepEqual(queries(book), ['c']);
  assert.deepEqual(checkpoints.map(({ position }) => position === '').toSorted(), [false, true]);
  assert.equal(put(book, [aState('c', 2), aState('e', 8)]).evicted, 0);
});

test('a group larger than the book keeps its last queries', () => {
  const book = new QueryBook(LIMITS, [], 0);
  const { evicted } = put(
    book,
    ['a', 'b', 'c', 'd', 'e'].map((query) => aState(query)),
  );
  assert.equal(evicted, 2);
  assert.deepEqual(queries(book), ['c', 'd', 'e']);
});

test('a query without a record keeps the time at which it was heard of', () => {
  const book = new QueryBook(LIMITS, [], 0);
  put(book, [aState('a')], 5);
  const staged = book.stage(new Map([[key('a'), aState('a', 2)]]), undefined);
  book.accept(staged);
  assert.deepEqual(
    [...book].map(([, , heardAt]) => heardAt),
    [5],
  );
});

test('queries of Spark 2.0 are numbered per application, others are known by id', () => {
  const place = emptyState({ project: 'etl', cluster: 'c', query: 'spark-2.0-0' });
  assert.notEqual(queryKey(place, 'app-1'), queryKey(place, 'app-2'));
  const uuid = { ...place, query: '739654fa-8d5c-42fa-b503-05dfaad0957d' };
  assert.equal(queryKey(uuid, 'app-1'), queryKey(uuid, 'app-2'));
  assert.notEqual(queryKey(uuid, ''), queryKey({ ...uuid, project: 'other' }, ''));
});

test('a state of another version is forgotten, and its slot is free', () => {
  const position = printQueryState(aState('a')).replace('"version":1', '"version":0');
  const book = new QueryBook(LIMITS, [{ source: 'progress:query:0', position }], 0);
  assert.equal(book.size, 0);
  assert.equal(put(book, [aState('b')]).checkpoints[0]?.source, 'progress:query:0');
});
