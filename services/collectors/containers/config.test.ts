import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containersConfig } from './config.ts';

test('nothing configured is a collector that only takes pushed facts', () => {
  const config = containersConfig.parse(undefined);
  assert.deepEqual(config.clusters, []);
  assert.equal(config.scanIntervalMs, 1_000);
});

test('a cluster has sensible defaults, and each mistake is told where it is', () => {
  const { clusters } = containersConfig.parse({
    clusters: [{ id: 'a', type: 'yarn', urls: ['http://rm1:8088', 'http://rm2:8088'] }],
  });
  assert.equal(clusters[0]?.pollIntervalMs, 5_000);
  const wrong = containersConfig.safeParse({
    clusters: [
      { id: 'a', type: 'yarn' },
      { id: 'b', type: 'standalone', urls: ['master:8080'] },
      { id: 'b', eventLogs: ['/spark-events'] },
    ],
  });
  const paths = wrong.error?.issues.map(({ path }) => path.join('.')) ?? [];
  assert.deepEqual(paths.sort(), ['clusters', 'clusters.0.urls', 'clusters.1.urls.0']);
  assert.ok(wrong.error?.issues.some(({ message }) => /id of its own/.test(message)));
});

test('clusters of Databricks and EMR say which cluster they are, and mistakes tell no token', () => {
  const { clusters } = containersConfig.parse({
    clusters: [
      {
        id: 'a',
        type: 'databricks',
        urls: ['https://dbc.example.com'],
        databricks: { token: 'dapi-secret', clusterId: '1-2-abc' },
      },
      { id: 'b', type: 'emr', emr: { region: 'eu-central-1', clusterName: 'etl-*' } },
    ],
  });
  assert.equal(clusters[0]?.databricks?.readRuns, true);
  const named = { token: 'dapi-secret', clusterId: 'a', clusterName: 'b' };
  const wrong = containersConfig.safeParse({
    clusters: [
      { id: 'a', type: 'databricks' },
      { id: 'b', type: 'databricks', urls: ['https://dbc.example.com'], databricks: named },
      { id: 'c', type: 'emr' },
      { id: 'd', type: 'emr', emr: { region: 'Frankfurt', clusterId: 'prod' } },
      { id: 'e', type: 'emr', emr: { region: 'eu-central-1' } },
    ],
  });
  const paths = wrong.error?.issues.map(({ path }) => path.join('.')) ?? [];
  assert.deepEqual(paths.sort(), [
    'clusters.0.databricks',
    'clusters.0.urls',
    'clusters.1.databricks.clusterName',
    'clusters.2.emr',
    'clusters.3.emr.clusterId',
    'clusters.3.emr.region',
    'clusters.4.emr.clusterId',
  ]);
  assert.doesNotMatch(JSON.stringify(wrong.error?.issues), /dapi-/);
});
