import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import { aNewAction } from '../../../test/support/enforcement-builders.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { runningApi } from '../../../test/support/running-api.ts';
import { enforceCommand } from './enforce-command.ts';

async function withEnforcement() {
  const api = await runningApi();
  let made = 0;
  const random = (n: number) => {
    made += 1;
    return Buffer.alloc(n, made);
  };
  const run = (...words: readonly string[]) =>
    runCommand(
      (io) => enforceCommand(io, random, () => api.clock.now()),
      ['enforce', ...words, '--url', api.url],
    );
  return { api, run };
}

test('enforce tells that it observes, and lets a level act with a reason', async () => {
  const { api, run } = await withEnforcement();
  await using _ = api;
  assert.match((await run('status')).out, /switch: on\n\n.*\nquota +notify +observes/);
  const without = await run('level', 'quota', 'notify', 'acts');
  assert.match(without.err, /--reason/);
  assert.equal((await run('level', 'quota', 'notify', 'acts', '--reason', 'agreed')).exitCode, 0);
  assert.match((await run('status')).out, /quota +notify +acts/);
  assert.match((await run('level', 'quota', 'kill', 'maybe', '--reason', 'x')).err, /neither acts/);
});

test('enforce off stops everything, and status says who stopped it why', async () => {
  const { api, run } = await withEnforcement();
  await using _ = api;
  assert.match((await run('off', '--reason', 'incident 4711')).out, /off, from its next tick/);
  assert.match((await run('status')).out, /OFF since .*: incident 4711/);
  await run('on', '--reason', 'over');
  assert.match((await run('status')).out, /switch: on/);
});

test('an exemption is made for a time', async () => {
  const { api, run } = await withEnforcement();
  await using _ = api;
  const what = ['-p', 'etl', '--workload', 'nightly', '--owner', 'ana', '--reason', 'year end'];
  assert.equal((await run('exempt', ...what, '--for', '2h')).exitCode, 0);
  const [made] = await api.alertStores.enforcement.exemptions(api.clock.now());
  assert.equal(made?.expiresAt, api.clock.now() + 2 * HOUR_MS);
  assert.match((await run('status')).out, /etl +any +nightly +ana/);
});

test('an action is shown with its history, and a chain that was changed ends with exit code 1', async () => {
  const { api, run } = await withEnforcement();
  await using _ = api;
  const { enforcement, leases } = api.alertStores;
  const lease = await leases.acquire('alerter/enforce', 'test', 60_000);
  assert.ok(lease);
  assert.match((await run('actions')).out, /nothing was decided yet/);
  await enforcement.propose([aNewAction()], lease);
  assert.match((await run('actions')).out, /proposed +kill +runaway +etl +yarn-1/);
  const shown = await run('show', 'act-1');
  assert.match(shown.out, /1 +\S+ +proposed +[0-9a-f]{16}\n\nthe chain is whole: 1 entries/);
  assert.equal(shown.exitCode, 0);
  assert.match((await run('release', '--reason', 'looked')).out, /was not on/);
  const early = await run('resolve', 'act-1', '--outcome', 'failed', '--reason', 'looked');
  assert.notEqual(early.exitCode, 0);
});
