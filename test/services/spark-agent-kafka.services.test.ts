import assert from 'node:assert/strict';
import { globSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { must } from '../../shared/errors/assert.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { installKafka, KAFKA_USERS, type RunningKafka, startKafka } from './servers/kafka.ts';
import { installSpark, runSpark, type SparkHome, type SparkRun } from './servers/spark.ts';
import { buildAgent } from './servers/spark-agent.ts';
import {
  chargedSums,
  isCharged,
  saidSums,
  seriesOf,
  storedProgress,
} from './spark/charged-sums.ts';
import { eventLogLives, printedProgress } from './spark/spark-said.ts';

const PROJECT = 'orders';
const CLUSTER = 'lab';
const COLLECTORS = ['containers', 'progress', 'metrics'] as const;
const ARRIVES_WITHIN_MS = 60_000;
/** Long enough for messages to wait for the broker, and for tries that fail. */
const AWAY_MS = 3_000;
const here = (file: string): string => join(import.meta.dirname, 'spark', file);

interface Applications {
  applications: { id: string; state: string }[];
}

/** What the agent said in the driver's log. */
function said({ stderr }: SparkRun): string[] {
  return stderr.split('\n').filter((line) => line.includes('Tollgate: '));
}

async function makeTopics(brokers: string): Promise<void> {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = COLLECTORS.map((name) => ({ topic: `tollgate-${name}`, numPartitions: 3 }));
  await admin.createTopics({ topics });
  await admin.disconnect();
}

/** Each collector reads its topic; the API takes nothing. */
function tollgateConfig(brokers: string): object {
  const of = (collector: string): object => ({
    kafka: { brokers: [brokers], topics: [{ name: `tollgate-${collector}`, cluster: CLUSTER }] },
  });
  return {
    containers: { clusters: [{ id: CLUSTER }], ...of('containers') },
    progress: of('progress'),
    metrics: { graphite: [], ...of('metrics') },
    metering: { settleIntervalMs: 500 },
  };
}

describe('the agent’s way through Kafka', { timeout: 600_000 }, () => {
  const resources = new AsyncDisposableStack();
  let folder = '';
  let agent = '';
  let client = '';
  let spark: SparkHome;
  let kafka: RunningKafka;
  let tollgate: RunningTollgate;

  before(async () => {
    folder = resources.use(await temporaryFolder()).path;
    await mkdir(join(folder, 'events'));
    spark = await installSpark();
    agent = (await buildAgent(spark, folder)).jar;
    const [found] = globSync(join(await installKafka(), 'lib/kafka-clients-*.jar'));
    client = must(found, 'the jar of Kafka’s client');
    kafka = resources.use(await startKafka());
    await makeTopics(kafka.brokers);
    tollgate = resources.use(await RunningTollgate.start(folder, tollgateConfig(kafka.brokers)));
  });
  after(() => resources.disposeAsync());

  const conf = (more: Record<string, string>): Record<string, string> => ({
    'spark.master': 'local[2]',
    'spark.jars': `${agent},${client}`,
    'spark.plugins': 'tollgate.spark.TollgatePlugin',
    'spark.tollgate.cluster': CLUSTER,
    'spark.tollgate.project': PROJECT,
    'spark.tollgate.heartbeat': '500ms',
    'spark.tollgate.spool.dir': join(folder, 'spool'),
    'spark.tollgate.kafka.bootstrapServers': kafka.brokers,
    'spark.sql.shuffle.partitions': '2',
    'spark.eventLog.enabled': 'true',
    'spark.eventLog.dir': `file://${join(folder, 'events')}`,
    'spark.eventLog.compress': 'true',
    'spark.eventLog.compression.codec': 'zstd',
    'spark.eventLog.rolling.enabled': 'true',
    ...more,
  });

  const count = (more: Record<string, string>): Promise<SparkRun> =>
    runSpark(spark, { app: here('counting.py'), args: ['20'], conf: conf(more) });

  const isWell = (ran: SparkRun): void => {
    assert.equal(ran.exitCode, 0, `${ran.stdout.slice(-2_000)}${ran.stderr.slice(-6_000)}`);
    assert.doesNotMatch(ran.stderr, /at tollgate\.spark/);
  };

  const applications = async (): Promise<Applications['applications']> => {
    const path = `/v1/projects/${PROJECT}/applications?limit=100`;
    return (
      await tollgate.get<Applications>(path).catch((): Applications => ({ applications: [] }))
    ).applications;
  };

  test('a broker that dies in the middle loses nothing: charges and progress are Spark’s own', async (t) => {
    const running = runSpark(spark, {
      app: here('streaming.py'),
      args: ['none:', join(folder, 'checkpoints'), '10'],
      conf: conf({}),
    });
    await tollgate.until(applications, ({ length }) => length === 1, ARRIVES_WITHIN_MS);
    const began = performance.now();
    await kafka.process.kill();
    await wait(AWAY_MS);
    await kafka.process.start();
    const awayMs = Math.round(performance.now() - began);
    const stream = await running;
    isWell(stream);
    assert.match(said(stream)[0] ?? '', /no heartbeats are sent/);
    assert.match(said(stream)[1] ?? '', /sends to Kafka at 127/);
    // Whatever came too late for it is on disk: the next application brings it.
    const next = await count({});
    isWell(next);
    assert.deepEqual(
      readdirSync(folder).includes('spool') ? readdirSync(join(folder, 'spool')) : [],
      [],
    );
    const expected = saidSums(await eventLogLives(join(folder, 'events')));
    assert.equal(expected.size, 2);
    const sums = () => chargedSums(tollgate, PROJECT);
    const found = await tollgate
      .until(sums, (all) => isCharged(all, expected), ARRIVES_WITHIN_MS)
      .catch(sums);
    assert.deepEqual([...found].sort(), [...expected].sort());
    const printed = printedProgress(stream.stdout).map(
      ({ id, runId, batchId, numInputRows }) => `${id} ${runId} ${batchId} ${numInputRows}`,
    );
    const stored = () => storedProgress(tollgate, PROJECT);
    const progress = await tollgate
      .until(stored, ({ length }) => length >= printed.length, ARRIVES_WITHIN_MS)
      .catch(stored);
    assert.deepEqual(progress.sort(), printed.sort());
    t.diagnostic(`away ${awayMs} ms of ${stream.tookMs} ms, ${printed.length} progress events`);
    t.diagnostic(said(stream).join(' | '));
  });

  test('metrics carry their project and cluster, and nothing was refused', async () => {
    const where = { project: PROJECT, measurement: 'spark_storage', field: 'maxOnHeapBytes' };
    const series = await tollgate.until(
      () => seriesOf(tollgate, where),
      ({ length }) => length === 2,
    );
    for (const { tags } of series) assert.equal(tags['cluster'], CLUSTER);
    const { counts } = await tollgate.get<{ counts: object[] }>('/v1/quarantine');
    assert.deepEqual(counts, []);
  });

  test('without kafka-clients one line says so, and HTTP is used', async () => {
    const before = (await applications()).length;
    const jars = { 'spark.jars': agent };
    const [missing, nowhere] = await Promise.all([
      count({ ...jars, 'spark.tollgate.url': tollgate.url }),
      count(jars),
    ]);
    isWell(missing);
    assert.match(
      said(missing)[0] ?? '',
      /kafka-clients is not on the class path.*all is sent to http/,
    );
    await tollgate.until(
      applications,
      (all) => all.length === before + 1 && all.every(({ state }) => state === 'ended'),
      ARRIVES_WITHIN_MS,
    );
    isWell(nowhere);
    assert.equal(said(nowhere).length, 1, said(nowhere).join('\n'));
    assert.match(said(nowhere)[0] ?? '', /nothing is sent/);
  });

  test('a user of the brokers, whose password nobody reads; a wrong one is one line', async (t) => {
    const { username, password } = KAFKA_USERS['scram-sha-512'];
    const login = (secret: string): string =>
      `org.apache.kafka.common.security.scram.ScramLoginModule required username="${username}" password="${secret}";`;
    const secured = (secret: string): Record<string, string> => ({
      'spark.tollgate.kafka.bootstrapServers': kafka.saslBroker,
      'spark.tollgate.kafka.conf.security.protocol': 'SASL_SSL',
      'spark.tollgate.kafka.conf.sasl.mechanism': 'SCRAM-SHA-512',
      'spark.tollgate.kafka.conf.ssl.truststore.type': 'PEM',
      'spark.tollgate.kafka.conf.ssl.truststore.location': kafka.certificates.ca,
      'spark.tollgate.kafka.conf.sasl.jaas.config': login(secret),
      'spark.tollgate.url': tollgate.url,
    });
    const before = (await applications()).length;
    const wrong = await count(secured('not-her-secret'));
    isWell(wrong);
    const refused = said(wrong).filter((line) => line.includes('proof of identity'));
    assert.equal(refused.length, 1, said(wrong).join('\n'));
    assert.match(refused[0] ?? '', /can't send to Kafka at localhost:\d+: .* is refused/);
    assert.doesNotMatch(wrong.stderr, /not-her-secret/);
    const file = join(folder, 'client.properties');
    const { 'spark.tollgate.kafka.conf.sasl.jaas.config': jaas, ...rest } = secured(password);
    await writeFile(file, `sasl.jaas.config=${jaas}\n`);
    const right = await count({ ...rest, 'spark.tollgate.kafka.confFile': file });
    isWell(right);
    assert.equal(said(right).length, 1, said(right).join('\n'));
    assert.doesNotMatch(right.stderr, new RegExp(password));
    await tollgate.until(
      applications,
      (all) => all.length === before + 2 && all.every(({ state }) => state === 'ended'),
      ARRIVES_WITHIN_MS,
    );
    t.diagnostic(`wrong ${wrong.tookMs} ms, right ${right.tookMs} ms`);
  });
});
