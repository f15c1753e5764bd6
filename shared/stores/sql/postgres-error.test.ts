import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../errors/app-error.ts';
import { breaksConnection, isRetryable, postgresError } from './postgres-error.ts';

const WHERE = 'postgresql://db:5432/tollgate';

function failure(code: string | undefined, message = 'it went wrong'): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

function codeOf(error: Error): string | undefined {
  const meant = postgresError(error, WHERE);
  return meant instanceof AppError ? meant.code : undefined;
}

test('what the world does to a server or the way to it has a code', () => {
  const codes: readonly (readonly [string | undefined, string, string])[] = [
    ['ECONNREFUSED', '', 'STORE_UNAVAILABLE'],
    ['08006', '', 'STORE_UNAVAILABLE'],
    ['57P03', '', 'STORE_UNAVAILABLE'],
    ['53300', '', 'STORE_UNAVAILABLE'],
    ['57014', '', 'STORE_UNAVAILABLE'],
    ['53100', '', 'DISK_FULL'],
    ['28P01', '', 'STORE_MISCONFIGURED'],
    ['3D000', '', 'STORE_MISCONFIGURED'],
    ['42P01', '', 'STORE_MISCONFIGURED'],
    ['42501', '', 'STORE_MISCONFIGURED'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', '', 'STORE_MISCONFIGURED'],
    [undefined, 'Connection terminated unexpectedly', 'STORE_UNAVAILABLE'],
    [undefined, 'timeout exceeded when trying to connect', 'STORE_UNAVAILABLE'],
    [undefined, 'Query read timeout', 'STORE_UNAVAILABLE'],
    [
      undefined,
      'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
      'STORE_MISCONFIGURED',
    ],
  ];
  for (const [code, message, expected] of codes) {
    assert.equal(codeOf(failure(code, message)), expected, code ?? message);
  }
});

test('several addresses of one host fail as the first of them', () => {
  const both = new AggregateError([failure('ECONNREFUSED'), failure('EHOSTUNREACH')]);
  assert.equal(codeOf(both), 'STORE_UNAVAILABLE');
});

test('the message says which store and what to do, and keeps its cause', () => {
  const cause = failure('42P01');
  const error = postgresError(cause, WHERE) as AppError;
  assert.match(error.message, /^PostgreSQL at postgresql:\/\/db:5432\/tollgate: .*stores init/);
  assert.equal(error.cause, cause);
  assert.deepEqual(error.details, { sqlState: '42P01' });
});

test('bugs, what can be done again, and what has its code already stay as they are', () => {
  const fenced = new AppError('FENCED', 'taken over');
  for (const error of [failure('42601'), failure('40001'), failure('23505'), fenced]) {
    assert.equal(postgresError(error, WHERE), error);
  }
  assert.deepEqual(
    ['40001', '40P01', '23505', 'ECONNRESET'].map((code) => isRetryable(failure(code))),
    [true, true, false, false],
  );
});

test('a connection is kept after an error of SQL, and no other', () => {
  const kept = ['23505', '40001', '57014', '53100', '42501'];
  const broken = ['57P01', '08003', '25P03', 'ECONNRESET', undefined];
  assert.deepEqual(
    kept.map((code) => breaksConnection(failure(code))),
    kept.map(() => false),
  );
  assert.deepEqual(
    broken.map((code) => breaksConnection(failure(code))),
    broken.map(() => true),
  );
});
