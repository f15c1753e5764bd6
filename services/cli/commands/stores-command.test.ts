import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand } from '../../../test/support/run-command.ts';
import { freePort } from '../../../test/support/running-tollgate.ts';
import { storesCommand } from './stores-command.ts';

const run = (action: string, yaml: string, ...more: string[]) =>
  runCommand(storesCommand, ['stores', action, ...more], { readFile: () => yaml });

test('embedded stores need nothing, and are ready', async () => {
  for (const action of ['init', 'check']) {
    const { exitCode, out, err } = await run(action, '{}');
    assert.equal(exitCode, 0, err);
    assert.match(out, /^STORE +STATE/);
    for (const store of ['ledger', 'logs', 'metrics']) {
      assert.match(out, new RegExp(`^${store} +ready`, 'm'));
    }
  }
});

test('each server that does not answer is named at once, with what to do and no secret', async () => {
  const port = await freePort();
  const yaml = `
stores:
  ledger: { url: "postgresql://bob@127.0.0.1:${port}/tollgate", password: hunter2 }
  logs: { url: "http://127.0.0.1:${port}", username: bob, password: hunter2 }
  metrics: { url: "http://127.0.0.1:${port}", username: bob, password: hunter2 }
logs:
  kafka: { brokers: ["127.0.0.1:${port}"], topics: [{ name: logs }] }
`;
  const { exitCode, out } = await run('check', yaml, '--json');
  assert.equal(exitCode, 1);
  const { stores } = JSON.parse(out) as { stores: { store: string; ok: boolean; says: string }[] };
  assert.deepEqual(
    stores.map(({ store, ok }) => [store, ok]),
    [
      ['ledger', false],
      ['logs', false],
      ['metrics', false],
      ['logs.kafka', false],
    ],
  );
  for (const { says } of stores) assert.match(says, new RegExp(`127\\.0\\.0\\.1:${port}`));
  assert.ok(!out.includes('hunter2'));
  const table = await run('check', yaml);
  assert.match(table.out, /^ledger +not usable +PostgreSQL/m);
});

const SERVER =
  'stores: { logs: { url: "http://127.0.0.1:9", indexPlan: { projects: { etl: { direct: true } } } } }';

test('logs are forgotten only when that is said twice, and where that can be done', async () => {
  const asked = await run('forget-logs', SERVER, 'etl');
  assert.equal(asked.exitCode, 2);
  assert.match(asked.err, /every log line of etl for ever.*--yes/);
  const nobody = await run('forget-logs', SERVER, 'etl', '--yes');
  assert.notEqual(nobody.exitCode, 0);
  assert.match(nobody.err, /127\.0\.0\.1:9|Elasticsearch/);
  const embedded = await run('forget-logs', '{}', 'etl', '--yes');
  assert.match(embedded.err, /logs\.store\.retentionMs/);
  const unnamed = await run('forget-logs', SERVER, '../x', '--yes');
  assert.equal(unnamed.exitCode, 2);
});

test('the role of a direct project is printed, and refused for one that shares indices', async () => {
  const { exitCode, out } = await run('reader-role', SERVER, 'etl');
  assert.equal(exitCode, 0);
  assert.deepEqual(JSON.parse(out), {
    cluster: [],
    indices: [{ names: ['tollgate-logs-etl~*'], privileges: ['read', 'view_index_metadata'] }],
  });
  const shared = await run('reader-role', SERVER, 'ml');
  assert.notEqual(shared.exitCode, 0);
  assert.match(shared.err, /indexPlan\.projects\.ml\.direct/);
  assert.match((await run('reader-role', '{}', 'etl')).err, /no roles/);
});
