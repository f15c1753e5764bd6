import assert from 'node:assert/strict';
import test from 'node:test';
import { restMetrics } from '../../../shared/contracts/rest.ts';
import { MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';
import { type Point, writePoints } from '../../support/write-points.ts';

const NOW = Date.UTC(2026, 10, 21, 9);
const HEAP = 'measurement=jvm&field=heap.used';

function heap(executor: string, value: number, minutesAgo = 1): Point {
  const tags = { project: 'team-a', cluster: 'alpha', application: 'app-1', executor };
  const at = NOW - minutesAgo * MINUTE_MS;
  return { at, measurement: 'jvm', tags, fields: { 'heap.used': value } };
}

const write = (api: AskingApi, ...points: Point[]) => writePoints(api.metricWriter, points);

async function series(api: AskingApi, query: string) {
  const found = await api.get(`/v1/projects/team-a/metrics?${HEAP}&${query}`, restMetrics);
  return found.series.map(({ tags, points }) => [tags['executor'], ...points]);
}

test('a metric is told by series, each point with its time and value', async () => {
  await using api = await askingApi();
  await write(api, heap('1', 10, 2), heap('1', 30.5, 1), heap('2', 7, 1));
  assert.deepEqual((await series(api, 'step=0')).sort(), [
    ['1', [NOW - 2 * MINUTE_MS, 10], [NOW - MINUTE_MS, 30.5]],
    ['2', [NOW - MINUTE_MS, 7]],
  ]);
});

test('points of a window are put together as asked', async () => {
  await using api = await askingApi();
  await write(api, heap('1', 10, 2), heap('1', 30, 1));
  const value = async (aggregate: string) => {
    const [found] = await series(api, `step=3600000&from=-1h&aggregate=${aggregate}`);
    const point = found?.[1];
    return Array.isArray(point) ? point[1] : undefined;
  };
  assert.deepEqual(
    await Promise.all(['last', 'mean', 'min', 'max', 'sum', 'count'].map(value)),
    [30, 20, 10, 30, 40, 2],
  );
});

test('tags are exact values, several of them all hold', async () => {
  await using api = await askingApi();
  await api.stores.grants.register('team-a' as ProjectId);
  await write(api, heap('1', 1), heap('11', 2));
  const found = async (tags: string) =>
    (await series(api, `step=0&tags=${encodeURIComponent(tags)}`)).map(([executor]) => executor);
  assert.deepEqual(await found('executor=1'), ['1']);
  assert.deepEqual(await found('application=app-1,executor=11'), ['11']);
  assert.deepEqual(await found('application=app-2,executor=11'), []);
  assert.deepEqual(await found('__proto__=x'), []);
  assert.deepEqual((await found(',')).sort(), ['1', '11']);
});

test('a project finds its own series only, whatever tags it asks for', async () => {
  await using api = await askingApi();
  await write(api, heap('1', 1));
  await api.stores.grants.register('team-b' as ProjectId);
  for (const tags of ['', '&tags=project=team-a', '&tags=application=app-1']) {
    const path = `/v1/projects/team-b/metrics?${HEAP}${tags}`;
    assert.deepEqual((await api.get(path, restMetrics)).series, []);
  }
});

test('more series than asked for are refused with advice, not cut', async () => {
  await using api = await askingApi();
  await write(api, heap('1', 1), heap('2', 1));
  const path = `/v1/projects/team-a/metrics?${HEAP}&limit=1`;
  assert.equal((await api.problem(api.ask(path))).code, 'BAD_REQUEST');
});

test('what is wrong with a query is said, each part by its name', async () => {
  await using api = await askingApi();
  await write(api, heap('1', 1));
  const errors = async (query: string) => {
    const problem = await api.problem(api.ask(`/v1/projects/team-a/metrics?${query}`));
    return problem.errors?.map(({ path }) => path).sort();
  };
  assert.deepEqual(await errors('tags=executor&step=-1&aggregate=median'), [
    'query.aggregate',
    'query.field',
    'query.measurement',
    'query.step',
    'query.tags',
  ]);
  assert.deepEqual(await errors(`${HEAP}&from=-365d&step=1000`), ['query.step']);
  assert.deepEqual(await errors(`${HEAP}&from=now`), ['query.from']);
});
