import { randomUUID } from 'node:crypto';
import type { Client } from '@elastic/elasticsearch';
import { type Clock, systemClock } from '../../shared/runtime/clock.ts';
import { type ElasticConfig, elasticConfig } from '../../shared/stores/elastic/config.ts';
import { initElastic } from '../../shared/stores/elastic/init-elastic.ts';
import { openElasticClient } from '../../shared/stores/elastic/open-elastic-client.ts';
import { openElasticLogReader } from '../../shared/stores/elastic/open-elastic-log-reader.ts';
import { openElasticLogWriter } from '../../shared/stores/elastic/open-elastic-log-writer.ts';
import type { LogReader, LogWriter, RefusedLog } from '../../shared/stores/log-store.ts';
import { dailyPlaces } from './daily-places.ts';
import { MapCheckpoints } from './map-checkpoints.ts';

/** Log ports on a running Elasticsearch, in indices of their own that go with it. */
export interface ElasticBench extends AsyncDisposable {
  readonly client: Client;
  readonly config: ElasticConfig;
  readonly writer: LogWriter;
  readonly reader: LogReader;
  readonly checkpoints: MapCheckpoints;
  readonly refused: RefusedLog[];
  readonly clock: Clock;
  /** Makes what was written findable now. */
  refresh(): Promise<void>;
  /** Documents of all its indices, refreshed. */
  count(): Promise<number>;
}

let benches = 0;

export interface ElasticBenchOptions {
  readonly url: string;
  readonly clock?: Clock;
  readonly checkpoints?: MapCheckpoints;
  readonly config?: Partial<ElasticConfig>;
  /** Asks another address than the one it cleans up through, such as a proxy. */
  readonly through?: string;
}

export async function openElasticBench(options: ElasticBenchOptions): Promise<ElasticBench> {
  benches += 1;
  const indexPrefix = `tollgate-t${process.pid}-${benches}`;
  const base = { replicas: 0, indexPrefix, refreshIntervalMs: 60_000, ...options.config };
  const config = elasticConfig.parse({ url: options.through ?? options.url, ...base });
  const direct = elasticConfig.parse({ url: options.url, ...base });
  const client = openElasticClient(config);
  const admin = openElasticClient(direct);
  await initElastic(admin, direct);
  const clock = options.clock ?? systemClock;
  const checkpoints = options.checkpoints ?? new MapCheckpoints(() => clock.now());
  const places = dailyPlaces(indexPrefix);
  const refused: RefusedLog[] = [];
  const writer = openElasticLogWriter({
    client,
    config,
    places,
    checkpoints,
    clock,
    random: Math.random,
    randomId: randomUUID,
    onRefused: async (some) => {
      refused.push(...some);
    },
  });
  const reader = openElasticLogReader({ client, config, places });
  const index = `${indexPrefix}-*`;
  const refresh = async (): Promise<void> => {
    await admin.indices.refresh({ index });
  };
  return {
    client,
    config,
    writer,
    reader,
    checkpoints,
    refused,
    clock,
    refresh,
    async count() {
      await refresh();
      return (await admin.count({ index })).count;
    },
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
      const { body } = {
        body: Object.keys(await admin.indices.get({ index, features: 'settings' })),
      };
      for (const name of body) await admin.indices.delete({ index: name });
      await admin.indices.deleteIndexTemplate({ name: indexPrefix });
      await admin.close();
      await client.close();
    },
  };
}

/** Each write is found by the next search, which Elasticsearch leaves to its refresh. */
export function refreshed(bench: ElasticBench): { writer: LogWriter; reader: LogReader } {
  const { writer, reader } = bench;
  return {
    writer: {
      async write(batch) {
        const result = await writer.write(batch);
        await bench.refresh();
        return result;
      },
      checkpoints: (prefix) => writer.checkpoints(prefix),
      [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
    },
    reader,
  };
}
