import assert from 'node:assert/strict';
import test from 'node:test';
import { AppError } from '../../../shared/errors/app-error.ts';
import { kafkaConfig } from './kafka-config.ts';
import { kafkaProblem } from './kafka-problem.ts';

const config = kafkaConfig('logs', ['json']).parse({
  brokers: ['kafka-1:9092'],
  groupId: 'g',
  topics: [{ name: 'spark-logs' }],
  tls: {},
  sasl: { username: 'alice', password: 'hunter2' },
});

function caused(message: string, facts: object = {}): Error {
  const cause = Object.assign(new Error(message), facts);
  return Object.assign(new Error(message, { cause }), { name: 'KafkaJSNumberOfRetriesExceeded' });
}

test('each fault says which Kafka, what is wrong and what to do', () => {
  const named = { name: 'KafkaJSSASLAuthenticationError' };
  const faults: readonly (readonly [Error, string, RegExp])[] = [
    [caused('SASL failed', named), 'CONFIG_INVALID', /user "alice" over scram-sha-512; check sasl/],
    [caused('self-signed certificate in certificate chain'), 'CONFIG_INVALID', /set tls.caFile/],
    [caused('ssl/tls alert bad certificate'), 'CONFIG_INVALID', /set tls.certificateFile/],
    [caused('tls: wrong version number'), 'CONFIG_INVALID', /does not speak TLS/],
    [caused('x', { type: 'UNKNOWN_TOPIC_OR_PARTITION' }), 'CONFIG_INVALID', /"spark-logs"; create/],
    [caused('x', { type: 'TOPIC_AUTHORIZATION_FAILED' }), 'CONFIG_INVALID', /allow READ and/],
    [caused('x', { type: 'GROUP_AUTHORIZATION_FAILED' }), 'CONFIG_INVALID', /the group "g"/],
    [caused('connect ECONNREFUSED'), 'INPUT_UNREADABLE', /does not answer.*ECONNREFUSED/],
  ];
  for (const [error, code, message] of faults) {
    const problem = kafkaProblem(error, config);
    assert.equal(problem.code, code);
    assert.match(problem.message, /^Kafka at kafka-1:9092 /);
    assert.match(problem.message, message);
  }
});

test('the password is in no message, and errors of our own stay as they are', () => {
  assert.doesNotMatch(kafkaProblem(new Error('said hunter2'), config).message, /hunter2/);
  const own = new AppError('CONFIG_INVALID', 'no such file');
  assert.equal(kafkaProblem(own, config), own);
});

test('an error that is its own cause ends', () => {
  const error = new Error('loop');
  error.cause = error;
  assert.match(kafkaProblem(error, config).message, /loop/);
});
