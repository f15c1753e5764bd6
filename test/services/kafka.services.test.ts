import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import { pino } from 'pino';
import { kafkaConfig } from '../../services/collectors/inputs/kafka-config.ts';
import { checkKafka } from '../../services/collectors/inputs/kafka-input.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import type { QuarantinedRecord } from '../../shared/stores/quarantine.ts';
import { KafkaLogs, logLine, until } from '../support/kafka-logs.ts';
import { KafkaTopics, sendWithJava } from '../support/kafka-topics.ts';
import { freePort } from '../support/running-tollgate.ts';
import { KAFKA_USERS, type RunningKafka, startKafka } from './servers/kafka.ts';

let kafka: RunningKafka;
let topics: KafkaTopics;
before(async () => {
  kafka = await startKafka();
  topics = await KafkaTopics.open(kafka.brokers);
});
after(async () => {
  await topics?.[Symbol.asyncDispose]();
  await kafka?.[Symbol.asyncDispose]();
});

const lines = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => logLine(from + i));
const at = (name: string, more: object = {}) => ({
  brokers: [kafka.brokers],
  topics: [{ name, ...more }],
});

async function storesAll(logs: KafkaLogs, count: number): Promise<void> {
  const stored = await logs.stored();
  assert.equal(stored.length, count);
  assert.equal(new Set(stored).size, count, 'no line twice');
}

test('batches of every codec are read, from this client and from Java', async () => {
  await using logs = await KafkaLogs.open();
  const topic = await topics.create();
  await logs.start(at(topic, { project: 'etl' }));
  await until('joined', 30_000, () => logs.gauge('tollgate_kafka_connected') === 1);
  for (let codec = 0; codec <= 4; codec += 1) {
    await topics.send(topic, lines(codec * 100, 100), { compression: codec });
  }
  const codecs = 'none,gzip,snappy,lz4,zstd';
  await sendWithJava(kafka.brokers, { topic, codecs, each: 100 });
  await until('all stored', 30_000, () => logs.kept() === 1_000);
  await storesAll(logs, 1_000);
  assert.equal(logs.quarantine.records.size, 0);
  await until('committed', 10_000, async () => {
    return (await topics.committed(logs.groupId, topic)) === 1_000;
  });
  await until('no lag', 10_000, () => logs.gauge('tollgate_kafka_lag_records') === 0);
});

test('what the group has not committed is exported as lag', async () => {
  await using logs = await KafkaLogs.open();
  const topic = await topics.create(2);
  let open = (): void => {};
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  logs.before = () => closed;
  await logs.start(at(topic));
  await topics.send(topic, lines(0, 40));
  await until('lag', 20_000, () => logs.gauge('tollgate_kafka_lag_records') === 40);
  open();
  await until('no lag', 20_000, () => logs.gauge('tollgate_kafka_lag_records') === 0);
  assert.equal(logs.metrics.values('tollgate_kafka_lag_records').size, 2);
});

function secured(kind: 'scram-sha-256' | 'scram-sha-512' | 'mutual', name: string) {
  const { certificates } = kafka;
  const tls = { caFile: certificates.ca };
  if (kind !== 'mutual') {
    const sasl = { mechanism: kind, ...KAFKA_USERS[kind] };
    return { brokers: [kafka.saslBroker], topics: [{ name }], tls, sasl };
  }
  const own = {
    certificateFile: certificates.clientCertificate,
    keyFile: certificates.clientKey,
  };
  return { brokers: [kafka.mutualBroker], topics: [{ name }], tls: { ...tls, ...own } };
}

for (const kind of ['scram-sha-256', 'scram-sha-512', 'mutual'] as const) {
  test(`topics are read over TLS with ${kind}`, async () => {
    await using logs = await KafkaLogs.open();
    const topic = await topics.create();
    await checkKafka(kafkaConfig('logs', ['json']).parse(secured(kind, topic)));
    await logs.start(secured(kind, topic));
    await topics.send(topic, lines(0, 10));
    await until('stored', 30_000, () => logs.kept() === 10);
  });
}

test('what is wrong is said before the start, without the secret', async () => {
  const topic = await topics.create();
  const right = secured('scram-sha-512', topic);
  const dead = `127.0.0.1:${await freePort()}`;
  const wrong: Record<string, readonly [object, string, RegExp]> = {
    'no broker': [{ ...at(topic), brokers: [dead] }, 'INPUT_UNREADABLE', /ECONNREFUSED/],
    'wrong password': [
      { ...right, sasl: { ...KAFKA_USERS['scram-sha-512'], password: 'hunter2' } },
      'CONFIG_INVALID',
      /refuses the user "alice"/,
    ],
    'unknown topic': [at('no-such-topic'), 'CONFIG_INVALID', /does not know .*"no-such-topic"/],
    'untrusted authority': [
      { ...right, tls: { caFile: kafka.certificates.otherCa } },
      'CONFIG_INVALID',
      /not trusted/,
    ],
    'no certificate': [
      { ...secured('mutual', topic), tls: { caFile: kafka.certificates.ca } },
      'CONFIG_INVALID',
      /certificate/,
    ],
    'no file': [{ ...right, tls: { caFile: '/no/such.pem' } }, 'CONFIG_INVALID', /such.pem/],
    'TLS where there is none': [
      { ...at(topic), tls: { caFile: kafka.certificates.ca } },
      'INPUT_UNREADABLE',
      /does not answer/,
    ],
  };
  for (const [name, [config, code, message]] of Object.entries(wrong)) {
    const parsed = kafkaConfig('logs', ['json']).parse({ requestTimeoutMs: 2_000, ...config });
    await assert.rejects(checkKafka(parsed), (error) => {
      assert.ok(error instanceof AppError, name);
      assert.equal(error.code, code, `${name}: ${error.message}`);
      assert.match(error.message, message, name);
      assert.doesNotMatch(`${error.message}${error.cause ?? ''}`, /hunter2|alice-secret/);
      return true;
    });
  }
});

test('poison is quarantined with topic, partition and offset, and the rest goes on', async () => {
  await using logs = await KafkaLogs.open();
  const topic = await topics.create();
  const bomb = Buffer.alloc(80 * 1_048_576, 0x20);
  await logs.start({ ...at(topic), maxRecordBytes: 100_000 });
  await until('joined', 30_000, () => logs.gauge('tollgate_kafka_connected') === 1);
  await topics.send(topic, [
    logLine(0),
    'not json',
    Buffer.from([0, 0, 0, 0, 7, 0xff, 0xfe, 0x80]),
    `{"msg":"${'x'.repeat(200_000)}"}`,
    null,
    '{"no":"message"}',
    logLine(1),
  ]);
  // Packed it is small, so that the broker takes it; unpacked it is beyond the limit.
  assert.ok(zstdCompressSync(bomb).length < 100_000);
  await topics.send(topic, [bomb], { compression: kafkajs.CompressionTypes.ZSTD });
  await topics.send(topic, [bomb], { compression: kafkajs.CompressionTypes.GZIP });
  await topics.send(topic, [bomb], { compression: kafkajs.CompressionTypes.LZ4 });
  await topics.send(topic, [logLine(2)]);
  await until('stored', 30_000, () => logs.kept() === 3);
  const refused = [...logs.quarantine.records.values()].map(
    ({ id, reason }: QuarantinedRecord) => `${id.replace(topic, 'T')} ${reason}`,
  );
  assert.deepEqual(refused.toSorted(), [
    'kafka:T/0#1 no-json-object',
    'kafka:T/0#2 not-utf8',
    'kafka:T/0#3 too-long',
    'kafka:T/0#5 no-message',
    'kafka:T/0#7 batch-too-large',
    'kafka:T/0#8 batch-too-large',
    'kafka:T/0#9 batch-too-large',
  ]);
  await until('committed', 10_000, async () => {
    return (await topics.committed(logs.groupId, topic)) === 11;
  });
});

test('a group that is read again from the beginning stores nothing twice', async () => {
  await using logs = await KafkaLogs.open();
  const topic = await topics.create(3);
  await topics.send(topic, lines(0, 500));
  const first = await logs.start(at(topic));
  await until('stored', 30_000, () => logs.kept() === 500);
  await logs.stop(first);
  await logs.start({ ...at(topic), groupId: `${logs.groupId}-again` });
  await until('read again', 30_000, () => logs.kept() === 1_000);
  await storesAll(logs, 500);
});

test('a collector that is killed loses nothing, and nothing is there twice', async () => {
  await using logs = await KafkaLogs.open();
  const topic = await topics.create(6);
  const total = 6_000;
  logs.before = () => wait(20);
  const small = { ...at(topic), chunkMaxBytes: 16_384, sessionTimeoutMs: 6_000 };
  const mine = await logs.start(small);
  const child = logs.startChild(small, mine);
  const joining = await until('two members', 30_000, async () => {
    return (await topics.members(logs.groupId)) === 2;
  });
  for (let from = 0; from < total; from += 500) {
    await topics.send(topic, lines(from, 500));
    if (from === 2_000) child.kill('SIGKILL');
  }
  const took = await until('all stored', 60_000, async () => {
    return new Set(await logs.stored()).size === total;
  });
  console.log(`joined after ${joining} ms; all stored ${took} ms after the last was sent`);
  await storesAll(logs, total);
  await until('committed', 20_000, async () => {
    return (await topics.committed(logs.groupId, topic)) === total;
  });
});

test('a second collector takes its share within about a second', async () => {
  await using logs = await KafkaLogs.open();
  const topic = await topics.create(4);
  await logs.start(at(topic));
  await until('one', 30_000, () => logs.gauge('tollgate_kafka_connected') === 1);
  await topics.send(topic, lines(0, 100));
  const from = performance.now();
  const second = await logs.start(at(topic));
  await until('two members', 10_000, async () => (await topics.members(logs.groupId)) === 2);
  const took = Math.round(performance.now() - from);
  await logs.stop(second);
  await topics.send(topic, lines(100, 100));
  await until('all', 30_000, () => logs.kept() === 200);
  console.log(`rebalanced ${took} ms after the start`);
  assert.ok(took < 3_000);
  await storesAll(logs, 200);
});

test('a store that blocks for 20 s causes no rebalance, and memory stays bounded', async () => {
  await using logs = await KafkaLogs.open();
  const topic = await topics.create(3);
  let blocked = true;
  logs.before = async () => {
    while (blocked) await wait(100);
  };
  const inFlightMaxBytes = 4 * 1_048_576;
  await logs.start({ ...at(topic), inFlightMaxBytes, fetchMaxBytes: 524_288 });
  const padding = 'p'.repeat(10_000);
  const large = (n: number) =>
    JSON.stringify({ ts: '2026-11-21T08:00:00Z', msg: `number ${n}`, padding, project: 'etl' });
  for (let from = 0; from < 2_000; from += 200) {
    await topics.send(
      topic,
      Array.from({ length: 200 }, (_, i) => large(from + i)),
    );
  }
  await until('paused', 20_000, () => {
    return logs.gauge('tollgate_kafka_in_flight_bytes') > inFlightMaxBytes / 2;
  });
  let most = 0;
  for (let turn = 0; turn < 100; turn += 1) {
    most = Math.max(most, logs.gauge('tollgate_kafka_in_flight_bytes'));
    await wait(200);
  }
  assert.ok(most < inFlightMaxBytes * 1.1, `${most} bytes`);
  assert.equal(logs.kept(), 0);
  assert.equal(await topics.members(logs.groupId), 1);
  blocked = false;
  const took = await until('all stored', 60_000, () => logs.kept() >= 2_000);
  console.log(`at most ${most} bytes in flight; all stored after ${took} ms`);
  assert.equal(logs.kept(), 2_000, 'none was read twice');
  assert.equal(logs.gauge('tollgate_kafka_restarts_total'), 0);
  await storesAll(logs, 2_000);
});

test('a broker that is away from the start is said once, waited for, and left at once', async () => {
  await using logs = await KafkaLogs.open();
  const said: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => said.push(line) });
  const dead = `127.0.0.1:${await freePort()}`;
  const running = await logs.start({ brokers: [dead], topics: [{ name: 'any' }] }, logger);
  const cpu = process.cpuUsage();
  await until('tried twice', 30_000, () => logs.gauge('tollgate_kafka_restarts_total') >= 2);
  const { user, system } = process.cpuUsage(cpu);
  const from = performance.now();
  await logs.stop(running);
  const took = Math.round(performance.now() - from);
  console.log(`${Math.round((user + system) / 1_000)} ms of CPU meanwhile; left in ${took} ms`);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /does not answer as it should.*ECONNREFUSED/);
  assert.ok(took < 15_000);
});

/** Writes on and on; resolves with how many lines the broker took. */
function writing(topic: string): () => Promise<number> {
  let stop = false;
  let sent = 0;
  const done = (async () => {
    while (!stop) {
      await topics.send(topic, lines(sent, 20));
      sent += 20;
      await wait(20);
    }
  })();
  return async () => {
    stop = true;
    await done;
    return sent;
  };
}

/** @param fail makes the broker unreachable for a while */
async function survives(
  fail: () => Promise<void>,
  broker = kafka.brokers,
): Promise<{ recovery: number; restarts: number }> {
  await using logs = await KafkaLogs.open();
  const topic = await topics.create(3);
  const said: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => said.push(line) });
  await logs.start({ ...at(topic), brokers: [broker] }, logger);
  const end = writing(topic);
  await until('reading', 30_000, () => logs.kept() > 100);
  await fail();
  await until('the coordinator answers', 60_000, () => topics.answers(logs.groupId, topic));
  const before = logs.kept();
  const recovery = await until('reading again', 90_000, () => logs.kept() > before);
  const sent = await end();
  await until('all stored', 60_000, async () => new Set(await logs.stored()).size >= sent);
  const stored = await logs.stored();
  // A send that broke off may have been taken before it was sent again: other offsets, other ids.
  assert.equal(new Set(stored).size, sent);
  // Once for each way in which it was away, however often it was tried.
  assert.ok(said.length >= 1 && said.length <= 4, said.join(''));
  return { recovery, restarts: logs.gauge('tollgate_kafka_restarts_total') };
}

const killedFor = (awayMs: number) => async (): Promise<void> => {
  await kafka.process.kill();
  await wait(awayMs);
  await kafka.process.start();
};

test('a broker that is killed and started again is read on', async () => {
  const { recovery } = await survives(killedFor(2_000));
  console.log(`read again ${recovery} ms after the coordinator answered`);
  assert.ok(recovery < 90_000);
});

test('a broker that is away for more than a minute is read on when it is back', async () => {
  const { recovery, restarts } = await survives(killedFor(65_000));
  console.log(`read again ${recovery} ms after the coordinator answered, ${restarts} restarts`);
  assert.ok(recovery < 90_000);
  assert.ok(restarts > 0, 'the consumer was built anew');
});

test('a network that falls silent for a minute, under the reader alone, is read on behind', async () => {
  const { recovery, restarts } = await survives(async () => {
    await kafka.network.silence();
    await wait(60_000);
    kafka.network.mend();
  }, kafka.distantBroker);
  console.log(`read again ${recovery} ms after the network was mended, ${restarts} restarts`);
  assert.ok(recovery < 90_000);
});
