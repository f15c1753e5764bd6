import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresConfig, printableUrl } from './config.ts';

const url = 'postgresql://tollgate:sesame@db.example:5433/ledger';

test('an address alone is enough, and every other option has a default', () => {
  const config = postgresConfig.parse({ url });
  assert.deepEqual(config, {
    url,
    schema: 'tollgate',
    tls: false,
    poolSize: 10,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 30_000,
    idleTimeoutMs: 30_000,
    idleInTransactionTimeoutMs: 10_000,
  });
});

test('what is no address of a database is refused', () => {
  const wrong = ['', 'db', 'http://db/x', 'postgresql://db', 'postgresql://db/x?sslmode=disable'];
  for (const text of wrong) assert.ok(!postgresConfig.safeParse({ url: text }).success, text);
  assert.ok(!postgresConfig.safeParse({ url, schema: 'x"; DROP' }).success);
});

test('the address is printed without user and password', () => {
  assert.equal(printableUrl({ url }), 'postgresql://db.example:5433/ledger');
});
