import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { stringify } from 'yaml';
import { temporaryFolder } from '../support/running-tollgate.ts';
import { startElasticsearch } from './servers/elasticsearch.ts';
import { startKafka } from './servers/kafka.ts';
import { startPostgresql } from './servers/postgresql.ts';
import { SPARK_CLUSTER, type SparkProfile, sparkSuite } from './spark/spark-suite.ts';

const MAIN = resolve(import.meta.dirname, '../../services/cli/main.ts');
const TOPIC = 'tollgate-progress';

/** The topic is there before anybody reads or writes it. */
async function makeTopic(brokers: string): Promise<void> {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 3 }] });
  await admin.disconnect();
}

/** `tollgate stores init` with this configuration. */
async function initStores(config: object): Promise<void> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'tollgate.yaml');
  await writeFile(file, stringify({ dataFolder: join(folder.path, 'data'), ...config }));
  await promisify(execFile)(process.execPath, [MAIN, 'stores', 'init', '-c', file]);
}

/** Logs in Elasticsearch, money in PostgreSQL, progress by way of Kafka. */
async function openServers(): Promise<SparkProfile> {
  await using opening = new AsyncDisposableStack();
  const elasticsearch = opening.use(await startElasticsearch());
  const postgresql = opening.use(await startPostgresql());
  const kafka = opening.use(await startKafka());
  await makeTopic(kafka.brokers);
  const config = {
    stores: {
      logs: { url: elasticsearch.url, replicas: 0 },
      ledger: { url: postgresql.url },
    },
    progress: {
      kafka: { brokers: [kafka.brokers], topics: [{ name: TOPIC, cluster: SPARK_CLUSTER }] },
    },
  };
  await initStores(config);
  const open = opening.move();
  return {
    config,
    progressAddress: `kafka://${kafka.brokers}/${TOPIC}`,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

sparkSuite('embedded stores, progress over HTTP', async () => ({
  config: {},
  [Symbol.asyncDispose]: async () => undefined,
}));
sparkSuite('Elasticsearch, PostgreSQL, progress over Kafka', openServers);
