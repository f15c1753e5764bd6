import assert from 'node:assert/strict';
import test from 'node:test';
import { LoadHistory } from '../../../services/api/routes/load-history.ts';
import type { JournalFact } from '../../../shared/contracts/container-fact.ts';
import { restClusters } from '../../../shared/contracts/rest.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import { aLoad, aNode, SAMPLE_HOUR } from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';

const NOW = SAMPLE_HOUR + HOUR_MS;
const links = { manager: 'http://rm:8088/cluster/app/{application}' };
const deps = { clusters: [{ id: 'alpha', type: 'yarn', pool: 'main', links }] };

async function alpha(api: AskingApi) {
  const { clusters } = await api.get('/v1/clusters', restClusters);
  assert.equal(clusters.length, 1);
  return clusters[0];
}

async function record(api: AskingApi, facts: readonly JournalFact[]): Promise<void> {
  await api.stores.journalWriter.record(
    { facts, evidence: [], activity: [], checkpoints: [] },
    NOW,
  );
}

test('a cluster of which nothing is known yet is shown as such', async () => {
  await using api = await askingApi({ deps });
  assert.deepEqual(await alpha(api), {
    id: 'alpha',
    type: 'yarn',
    pool: 'main',
    load: null,
    history: [],
    nodes: 0,
    link: 'http://rm:8088/',
  });
});

test('a cluster shows its last load, the cores of two hours, and the machines that it has', async () => {
  await using api = await askingApi({ deps });
  await record(api, [
    aLoad({ at: NOW - 3 * HOUR_MS }),
    aLoad({ at: NOW - HOUR_MS, allocated: { millicores: 500, memoryMib: 1, gpus: 0 } }),
    aLoad({ at: NOW }),
    aLoad({ id: 'other', cluster: 'beta', at: NOW }),
    aNode({ node: 'a' }),
    aNode({ node: 'b' }),
    aNode({ node: 'b', kind: 'node-stopped', at: SAMPLE_HOUR + 1 }),
  ]);
  const cluster = await alpha(api);
  assert.deepEqual(cluster?.load, {
    at: '2026-11-21T09:00:00.000Z',
    allocated: { cores: 3.5, memoryMib: 10_000, gpus: 0 },
    pending: { cores: 0, memoryMib: 0, gpus: 0 },
    capacity: { cores: 8, memoryMib: 32_000, gpus: 2 },
  });
  assert.deepEqual(cluster?.history, [
    { at: '2026-11-21T08:00:00.000Z', allocated: 0.5, pending: 0, capacity: 8 },
    { at: '2026-11-21T09:00:00.000Z', allocated: 3.5, pending: 0, capacity: 8 },
  ]);
  assert.equal(cluster?.nodes, 1);
});

test('however often a cluster is polled, its load is the last one and its history fits a screen', async () => {
  await using api = await askingApi({ deps });
  const loads = Array.from({ length: 7_300 }, (_, i) => aLoad({ at: NOW - 7_299 + i }));
  await record(api, loads);
  const cluster = await alpha(api);
  assert.equal(cluster?.load?.at, '2026-11-21T09:00:00.000Z');
  assert.ok((cluster?.history.length ?? 0) <= 240);
  assert.equal(cluster?.history.at(-1)?.at, '2026-11-21T09:00:00.000Z');
});

test('the history read piece by piece is the history read at once', async () => {
  await using api = await askingApi({ deps });
  const { journalReader } = api.stores;
  const stepwise = new LoadHistory(journalReader);
  for (let at = NOW - 3 * HOUR_MS; at < NOW; at += 10 * MINUTE_MS) {
    await record(api, [aLoad({ at }), aLoad({ at: at - MINUTE_MS / 2 })]);
    await stepwise.read('alpha', at);
  }
  const atOnce = await new LoadHistory(journalReader).read('alpha', NOW);
  assert.deepEqual(await stepwise.read('alpha', NOW), atOnce);
  assert.ok(atOnce.length >= 23 && atOnce.length <= 26, `${atOnce.length} in two hours`);
});
