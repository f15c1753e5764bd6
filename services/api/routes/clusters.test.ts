import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeFact } from '../../../shared/contracts/container-fact.ts';
import { restClusters } from '../../../shared/contracts/rest.ts';
import { MINUTE_MS } from '../../../shared/values/instant.ts';
import { loadFact, SMALL, T0 } from '../../../test/support/fact-builders.ts';
import { journalBatch } from '../../../test/support/journal-batch.ts';
import { runningApi } from '../../../test/support/running-api.ts';
import { LoadHistory } from './load-history.ts';

function nodeFact(kind: NodeFact['kind'], node: string, at: number): NodeFact {
  const rest = { capacity: SMALL, market: 'unknown' as const, witness: 'yarn' as const };
  return { kind, id: `${node}/${kind}/${at}`, cluster: 'yarn-1', at, node, ...rest };
}

test('a cluster shows its last load, its history and the nodes that are up', async () => {
  await using api = await runningApi({ now: T0 });
  const facts = [
    loadFact(T0 - 2 * MINUTE_MS, 0.25),
    loadFact(T0 - MINUTE_MS, 0.5),
    nodeFact('node-started', 'n1', T0 - 9),
    nodeFact('node-started', 'n2', T0 - 9),
    nodeFact('node-stopped', 'n2', T0 - 1),
  ];
  await api.stores.journalWriter.record(journalBatch({ facts }), T0);
  const [cluster] = (await api.get('/v1/clusters', restClusters)).clusters;
  assert.equal(cluster?.nodes, 1);
  assert.equal(cluster?.load?.allocated.cores, 50);
  assert.equal(cluster?.load?.capacity.cores, 100);
  assert.deepEqual(
    cluster?.history.map(({ allocated }) => allocated),
    [25, 50],
  );
});

test('a cluster that nobody has seen is listed without load', async () => {
  await using api = await runningApi();
  const { clusters } = await api.get('/v1/clusters', restClusters);
  assert.deepEqual(
    clusters.map(({ id, load, nodes }) => [id, load, nodes]),
    [['yarn-1', null, 0]],
  );
});

test('the history read piece by piece is the history read at once', async () => {
  await using api = await runningApi({ now: T0 });
  const { journalReader, journalWriter } = api.stores;
  const stepwise = new LoadHistory(journalReader);
  let at = T0 - 3 * 60 * MINUTE_MS;
  for (; at < T0; at += 10 * MINUTE_MS) {
    const facts = [loadFact(at, 0.1), loadFact(at - 30_000, 0.2)];
    await journalWriter.record(journalBatch({ facts }), at);
    await stepwise.read('yarn-1', at);
  }
  const atOnce = await new LoadHistory(journalReader).read('yarn-1', T0);
  assert.deepEqual(await stepwise.read('yarn-1', T0), atOnce);
  assert.ok(atOnce.length >= 23 && atOnce.length <= 26, `${atOnce.length} in two hours`);
});
