import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { checkElastic } from '../../shared/stores/elastic/check-elastic.ts';
import { logStoreSuite } from '../contracts/log-store-suite.ts';
import { openElasticBench, refreshed } from '../support/elastic-bench.ts';
import { type ElasticsearchServer, startElasticsearch } from './servers/elasticsearch.ts';

let server: ElasticsearchServer;

before(async () => {
  server = await startElasticsearch({ version: '9.4.3' });
});
after(async () => server?.[Symbol.asyncDispose]());

test('a server of 9.x is accepted', async () => {
  await using bench = await openElasticBench(server);
  const { nodes } = await bench.client.nodes.info({ filter_path: 'nodes.*.version' });
  assert.deepEqual(
    Object.values(nodes).map(({ version }) => version),
    ['9.4.3'],
  );
  await checkElastic(bench.client, bench.config);
});

logStoreSuite('elasticsearch 9', async () => {
  const bench = await openElasticBench(server);
  return {
    ...refreshed(bench),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
});
