import { after, before } from 'node:test';
import { must } from '../../shared/errors/assert.ts';
import { logStoreSuite } from '../contracts/log-store-suite.ts';
import { openElasticBench, refreshed } from '../support/elastic-bench.ts';
import { type ElasticsearchServer, startElasticsearch } from './servers/elasticsearch.ts';

let server: ElasticsearchServer | undefined;
before(async () => {
  server = await startElasticsearch();
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
});

const url = (): string => must(server, 'the server was started').url;

logStoreSuite('elasticsearch', async () => {
  const bench = await openElasticBench({ url: url() });
  return {
    ...refreshed(bench),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
});
