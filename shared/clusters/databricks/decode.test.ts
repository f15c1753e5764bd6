import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { databricksLoad, databricksNodes } from './databricks-load.ts';
import {
  type DatabricksCluster,
  decodeCluster,
  decodeClusterPage,
  decodeNodeTypes,
} from './decode-cluster.ts';
import { decodeEventPage, isGrowth } from './decode-events.ts';
import { decodeRun, decodeRunPage } from './decode-run.ts';
import { clusterMarket, nodeMarkets } from './node-market.ts';
import { parseExactJson } from './parse-exact-json.ts';

const sample = (name: string): unknown =>
  parseExactJson(
    readFileSync(sharedDataFile(`databricks/azure-databricks-client-tests/${name}.json`), 'utf8'),
  );

function aCluster(more: Record<string, unknown> = {}): DatabricksCluster {
  const row = { cluster_id: '1-2-abc', state: 'RUNNING', node_type_id: 'big', ...more };
  return decodeCluster(row) as DatabricksCluster;
}

const node = (n: number, more: Record<string, unknown> = {}) => ({
  node_id: `node-${n}`,
  instance_id: `i-${n}`,
  start_timestamp: 1_700_000_000_000 + n,
  ...more,
});
const BIG = { millicores: 8_000, memoryMib: 32_768, gpus: 1 };
const TYPES = new Map([['big', BIG]]);

test('the recorded cluster is read: a single driver, on demand, started with its driver', () => {
  const cluster = decodeCluster(sample('clusters-Get-expectedResponse'));
  assert.equal(cluster?.id, '1234-567890-reef123');
  assert.equal(cluster?.name, 'my-cluster');
  assert.equal(cluster?.owner, 'someone@example.com');
  assert.equal(cluster?.driver?.instance, 'c69c0b119a2a499d8a2843c4d256136a');
  assert.equal(cluster?.startedAt, 1_619_718_438_896, 'it was created long before');
  assert.equal(cluster?.source, 'UI');
  assert.deepEqual(cluster?.total, { millicores: 4_000, memoryMib: 32_768, gpus: 0 });
  const only = [cluster as DatabricksCluster];
  assert.deepEqual(
    databricksNodes(only, new Map()).nodes.map(({ capacity, market, instance }) => ({
      capacity,
      market,
      instance,
    })),
    [
      {
        capacity: { millicores: 4_000, memoryMib: 32_768, gpus: 0 },
        market: 'on-demand',
        instance: 'c69c0b119a2a499d8a2843c4d256136a',
      },
    ],
  );
  const page = decodeClusterPage(sample('clusters-List-expectedResponse'));
  assert.deepEqual(page, { clusters: only, unusable: 0, next: '' });
});

test('the recorded runs are read, and one whose two states contradict each other has none', () => {
  const canceled = decodeRun(sample('jobs-RunsGetReturnsCanceledRun-response'));
  assert.equal(canceled?.id, '455644833');
  assert.equal(canceled?.state, 'ended');
  assert.equal(canceled?.finalState, 'CANCELED');
  assert.deepEqual(canceled?.clusters, ['0923-164208-meows279']);
  // Its `state` says PENDING, its `status` TERMINATED.
  assert.equal(decodeRun(sample('jobs-RunsGet-response'))?.state, undefined);
  const page = decodeRunPage(sample('jobs-RunsListWithToken-response'));
  assert.deepEqual(page, { runs: [], unusable: 0, next: '' }, 'has_more is false');
});

test('recorded events are read with their next page, and growth is the autoscaler’s alone', () => {
  const page = decodeEventPage(sample('clusters-Events-expectedResponse'));
  assert.deepEqual(page, {
    events: [{ at: 1_619_471_498_409, cause: '', current: 2, target: 2 }],
    unusable: 0,
    next: { offset: 10, limit: 5 },
  });
  const at = 1;
  assert.equal(isGrowth({ at, cause: 'AUTOSCALE_V2', current: 2, target: 4 }), true);
  assert.equal(isGrowth({ at, cause: 'AUTOSCALE', current: 4, target: 2 }), false);
  assert.equal(isGrowth({ at, cause: 'USER_REQUEST', current: 2, target: 4 }), false);
  assert.equal(decodeEventPage({ events: [{ type: 'RESIZING' }] })?.unusable, 1);
  assert.equal(decodeEventPage({ events: 'none' }), undefined);
});

test('ids beyond 2^53 stay exact, as numbers and as text', () => {
  const id = '734650698524280123';
  assert.notEqual(String(Number(id)), id);
  assert.equal(decodeRun(parseExactJson(`{"run_id": ${id}}`))?.id, id);
  assert.equal(decodeRun(parseExactJson(`{"run_id": "${id}"}`))?.id, id);
  assert.deepEqual(parseExactJson(`[${id}, 12, 1.5, -9007199254740993]`), [
    BigInt(id),
    12,
    1.5,
    -9_007_199_254_740_993n,
  ]);
  for (const bad of ['-4', '0', '1.5', '"12a"', '9'.repeat(25), 'null', '{}']) {
    assert.equal(decodeRun(parseExactJson(`{"run_id": ${bad}}`)), undefined, bad);
  }
});

test('the market of a node is what AWS says, else it follows from first_on_demand', () => {
  const markets = (more: Record<string, unknown>) => [...nodeMarkets(aCluster(more)).values()];
  const workers = [node(1), node(2), node(3)];
  const azure = (availability: string, first_on_demand: number) =>
    markets({
      driver: node(0),
      executors: workers,
      azure_attributes: { availability, first_on_demand },
    });
  assert.deepEqual(azure('ON_DEMAND_AZURE', 0), Array(4).fill('on-demand'));
  assert.deepEqual(azure('SPOT_AZURE', 0), Array(4).fill('spot'));
  assert.deepEqual(azure('SPOT_AZURE', 1), ['on-demand', 'spot', 'spot', 'spot']);
  assert.deepEqual(azure('SPOT_AZURE', 3), ['on-demand', 'on-demand', 'on-demand', 'spot']);
  assert.deepEqual(azure('SPOT_WITH_FALLBACK_AZURE', 1), [
    'on-demand',
    ...Array(3).fill('unknown'),
  ]);
  assert.deepEqual(azure('SPOT_AZURE', 9), Array(4).fill('on-demand'));
  const together = markets({
    driver: node(0),
    executors: [node(1), node(2, { start_timestamp: 1_700_000_000_001 }), node(3)],
    gcp_attributes: { availability: 'PREEMPTIBLE_GCP', first_on_demand: 2 },
  });
  assert.deepEqual(together, ['on-demand', 'unknown', 'unknown', 'spot'], 'either is the first');
  const aws = (is_spot: boolean) => ({ node_aws_attributes: { is_spot } });
  const told = markets({
    driver: node(0, aws(false)),
    executors: [node(1, aws(true)), node(2, aws(false))],
    aws_attributes: { availability: 'SPOT_WITH_FALLBACK', first_on_demand: 1 },
  });
  assert.deepEqual(told, ['on-demand', 'spot', 'on-demand'], 'the last one has fallen back');
  assert.equal(clusterMarket(new Map([['a', 'on-demand']])), 'on-demand');
  assert.equal(clusterMarket(new Map()), 'unknown');
});

test('load: what is there is held, what is asked for waits, and the autoscaler has its limit', () => {
  const cluster = aCluster({
    state: 'RESIZING',
    driver: node(0),
    executors: [node(1), node(2)],
    num_workers: 3,
    autoscale: { min_workers: 1, max_workers: 9 },
  });
  const load = databricksLoad([cluster], TYPES);
  const cores = (n: number) => n * BIG.millicores;
  assert.equal(load?.allocated.millicores, cores(3));
  assert.equal(load?.capacity.millicores, cores(3));
  assert.equal(load?.pending.millicores, cores(1));
  assert.equal(load?.capacityMax?.millicores, cores(10));
  const starting = aCluster({ state: 'PENDING', num_workers: 2 });
  const both = databricksLoad([cluster, starting], TYPES);
  assert.equal(both?.pending.millicores, cores(1 + 3));
  assert.equal(both?.allocated.millicores, cores(3));
  const ending = aCluster({ state: 'TERMINATING', driver: node(0), num_workers: 5 });
  assert.deepEqual(databricksLoad([ending], TYPES), {
    allocated: { millicores: 0, memoryMib: 0, gpus: 0 },
    pending: { millicores: 0, memoryMib: 0, gpus: 0 },
    capacity: BIG,
    capacityMax: BIG,
  });
  assert.equal(databricksLoad([aCluster({ state: 'TERMINATED' })], TYPES)?.capacity.gpus, 0);
});

test('a node type of unknown size makes the load unknown, and its nodes are there without a size', () => {
  const cluster = aCluster({ driver: node(0), executors: [node(1)], node_type_id: 'new' });
  assert.equal(databricksLoad([cluster], TYPES), undefined);
  const { nodes, unsized } = databricksNodes([cluster], TYPES);
  assert.deepEqual(unsized, ['node-0', 'node-1']);
  assert.deepEqual(nodes[1]?.capacity, { millicores: 0, memoryMib: 0, gpus: 0 });
  assert.equal(nodes[1]?.instance, 'i-1');
});

test('node types keep fractional cores and pass over what is no size', () => {
  const types = decodeNodeTypes({
    node_types: [
      { node_type_id: 'half', num_cores: 2.5, memory_mb: 1_024 },
      { node_type_id: 'gpu', num_cores: 4, memory_mb: 2_048, num_gpus: 2 },
      { node_type_id: 'none', num_cores: 0, memory_mb: 1 },
      { node_type_id: 'text', num_cores: '4', memory_mb: 1 },
    ],
  });
  assert.deepEqual(
    [...(types ?? [])],
    [
      ['half', { millicores: 2_500, memoryMib: 1_024, gpus: 0 }],
      ['gpu', { millicores: 4_000, memoryMib: 2_048, gpus: 2 }],
    ],
  );
  assert.equal(decodeNodeTypes({}), undefined);
});

test('decoders take anything and never throw', () => {
  const keys = [
    'clusters',
    'cluster_id',
    'state',
    'driver',
    'executors',
    'runs',
    'run_id',
    'tasks',
  ];
  const anything = fc.anything({ key: fc.constantFrom(...keys, '__proto__'), maxDepth: 4 });
  const row = fc.dictionary(fc.constantFrom(...keys), anything);
  fc.assert(
    fc.property(fc.oneof(anything, row), (value) => {
      for (const decode of [decodeCluster, decodeClusterPage, decodeNodeTypes, decodeRun]) {
        decode(value);
      }
      decodeRunPage(value);
      decodeEventPage(value);
      const page = decodeClusterPage({ clusters: [value] });
      for (const cluster of page?.clusters ?? []) {
        databricksLoad([cluster], TYPES);
        databricksNodes([cluster], TYPES);
      }
    }),
    { numRuns: 1_000, verbose: 1 },
  );
});
