import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { must } from '../../shared/errors/assert.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { checkElastic } from '../../shared/stores/elastic/check-elastic.ts';
import { type ElasticConfig, elasticConfig } from '../../shared/stores/elastic/config.ts';
import { initElastic } from '../../shared/stores/elastic/init-elastic.ts';
import { openElasticClient } from '../../shared/stores/elastic/open-elastic-client.ts';
import { openElasticLogReader } from '../../shared/stores/elastic/open-elastic-log-reader.ts';
import { openElasticLogWriter } from '../../shared/stores/elastic/open-elastic-log-writer.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { AT, logRecord } from '../contracts/log-store-suite.ts';
import { dailyPlaces } from '../support/daily-places.ts';
import { MapCheckpoints } from '../support/map-checkpoints.ts';
import {
  ELASTIC_USERS,
  type ElasticsearchServer,
  startElasticsearch,
} from './servers/elasticsearch.ts';

let server: ElasticsearchServer | undefined;
before(async () => {
  server = await startElasticsearch({ secured: true });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
});

type User = keyof typeof ELASTIC_USERS;

function configOf(over: Partial<ElasticConfig>, trusted = true): ElasticConfig {
  const { url, caFile } = must(server, 'the server was started');
  return elasticConfig.parse({
    url,
    replicas: 0,
    retryForMs: 300,
    ...(trusted && caFile !== undefined ? { caFile } : {}),
    ...over,
  });
}

const as = (username: User): Partial<ElasticConfig> => ({
  username,
  password: ELASTIC_USERS[username],
});

/** What the check says once the server has its own security index at hand; a minute at most. */
async function refusal(config: ElasticConfig): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    const said = await checked(config);
    if (!said.startsWith('STORE_UNAVAILABLE') || tries === 60) return said;
    await wait(1_000);
  }
}

async function checked(config: ElasticConfig): Promise<string> {
  const client = openElasticClient(config);
  try {
    await checkElastic(client, config);
    return 'none';
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    for (const secret of Object.values(ELASTIC_USERS)) assert.ok(!message.includes(secret));
    return `${code}: ${message}`;
  } finally {
    await client.close();
  }
}

async function init(): Promise<void> {
  const config = configOf(as('admin'));
  const client = openElasticClient(config);
  await initElastic(client, config);
  await client.close();
}

function openWriter(config: ElasticConfig) {
  const client = openElasticClient(config);
  const places = dailyPlaces(config.indexPrefix);
  const writer = openElasticLogWriter({
    client,
    config,
    places,
    checkpoints: new MapCheckpoints(),
    clock: systemClock,
    random: Math.random,
    randomId: () => 'random',
    onRefused: async () => assert.fail('nothing is refused'),
  });
  const reader = openElasticLogReader({ client, config, places });
  return {
    client,
    writer,
    reader,
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await client.close();
    },
  };
}

test('a certificate that nobody told of is refused, with what to set', async () => {
  assert.match(
    await refusal(configOf(as('admin'), false)),
    /^STORE_MISCONFIGURED: .*certificate that is not trusted.*set caFile/,
  );
});

test('a wrong password and a missing sign-in are told apart', async () => {
  const wrong = configOf({ username: 'collector', password: 'wrong' });
  assert.match(await refusal(wrong), /^STORE_MISCONFIGURED: .*does not accept user collector/);
  assert.match(await refusal(configOf({})), /^STORE_MISCONFIGURED: .*asks for a sign-in/);
  assert.match(
    await refusal(configOf({ apiKey: 'bm90OmtleQ==' })),
    /^STORE_MISCONFIGURED: .*does not accept the API key/,
  );
});

test('missing rights are told by name, and a missing template after them', async () => {
  assert.match(
    await refusal(configOf(as('onlooker'))),
    /^STORE_MISCONFIGURED: .*user onlooker no right to create_doc, auto_configure on tollgate-logs-\*/,
  );
  assert.match(await refusal(configOf(as('collector'))), /no index template.*stores init/);
  await init();
  assert.equal(await refusal(configOf(as('collector'))), 'none');
});

test('a user with few rights writes and reads; one without the right to write is told', async () => {
  await init();
  const batch = { records: [logRecord({ origin: 'f#1' })], checkpoints: [] };
  await using collector = openWriter(configOf(as('collector')));
  assert.equal((await collector.writer.write(batch)).stored, 1);
  assert.equal((await collector.writer.write(batch)).duplicates, 1);
  await using onlooker = openWriter(configOf(as('onlooker')));
  await assert.rejects(onlooker.writer.write(batch), {
    code: 'STORE_MISCONFIGURED',
    message: /403/,
  });
  await using admin = openWriter(configOf(as('admin')));
  await admin.client.indices.refresh({ index: 'tollgate-logs-*' });
  const query = { from: AT - 1, until: AT + 1, limit: 10 };
  assert.equal((await onlooker.reader.search('etl' as ProjectId, query)).records.length, 1);
});

test('an API key writes and reads until it is taken back', async () => {
  await init();
  await using admin = openWriter(configOf(as('admin')));
  const { encoded, id } = await admin.client.security.createApiKey({
    name: 'collector',
    role_descriptors: {
      collector: {
        cluster: ['monitor', 'manage_index_templates'],
        indices: [
          {
            names: ['tollgate-logs-*'],
            privileges: ['create_doc', 'auto_configure', 'read', 'view_index_metadata'],
          },
        ],
      },
    },
  });
  const config = configOf({ apiKey: encoded });
  assert.equal(await refusal(config), 'none');
  await using keyed = openWriter(config);
  const records = [logRecord({ origin: 'f#2' })];
  assert.equal((await keyed.writer.write({ records, checkpoints: [] })).stored, 1);
  await admin.client.security.invalidateApiKey({ ids: [id] });
  assert.match(await refusal(config), /does not accept the API key/);
  await assert.rejects(keyed.writer.write({ records, checkpoints: [] }), {
    code: 'STORE_MISCONFIGURED',
    message: /401/,
  });
});
