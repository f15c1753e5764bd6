import assert from 'node:assert/strict';
import test from 'node:test';
import { kafkaConfig } from './kafka-config.ts';

const schema = kafkaConfig('logs', ['json', 'text']);
const least = { brokers: ['kafka-1:9092'], topics: [{ name: 'logs' }] };

test('brokers and topics are enough, and the group is named after the collector', () => {
  const config = schema.parse(least);
  assert.equal(config.groupId, 'tollgate-logs');
  assert.deepEqual(config.topics, [{ name: 'logs', format: 'json', cluster: 'default' }]);
  assert.equal(config.maxWaitMs, 300);
  assert.equal(config.heartbeatIntervalMs, 1_000);
});

test('what cannot work is refused, with what to do', () => {
  const user = { username: 'u', password: 'p' };
  const wrong: Record<string, readonly [object, RegExp]> = {
    'no brokers': [{ brokers: [] }, /brokers/],
    'no port': [{ brokers: ['kafka'] }, /kafka-1:9092/],
    'a URL': [{ brokers: ['http://kafka:9092'] }, /kafka-1:9092/],
    'a topic that cannot be': [{ topics: [{ name: '../x' }] }, /no topic name/],
    'a topic twice': [{ topics: [{ name: 'a' }, { name: 'a' }] }, /names a topic twice/],
    'a format of another collector': [{ topics: [{ name: 'a', format: 'graphite' }] }, /format/],
    'a password in the clear': [{ sasl: { mechanism: 'plain', ...user } }, /set tls/],
    'a certificate without key': [{ tls: { certificateFile: 'a.pem' } }, /come together/],
    'heartbeats too rare': [{ heartbeatIntervalMs: 5_000 }, /half of sessionTimeoutMs/],
  };
  for (const [name, [part, message]] of Object.entries(wrong)) {
    const parsed = schema.safeParse({ ...least, ...part });
    assert.ok(!parsed.success, name);
    const text = parsed.error.issues.map((i) => `${i.path.join('.')} ${i.message}`).join('; ');
    assert.match(text, message, name);
  }
  assert.ok(schema.safeParse({ ...least, brokers: ['[::1]:9092'] }).success);
  assert.ok(schema.safeParse({ ...least, tls: {}, sasl: { mechanism: 'plain', ...user } }).success);
});
