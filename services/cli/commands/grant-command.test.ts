import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restGrant, restGrants } from '../../../shared/contracts/rest-grants.ts';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import { aCharge, anApplication, aSettlement } from '../../../test/support/ledger-builders.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { runningApi } from '../../../test/support/running-api.ts';
import { balanceCommand } from './balance-command.ts';
import { grantCommand } from './grant-command.ts';
import { grantsCommand } from './grants-command.ts';

const NOW = Date.UTC(2026, 10, 21, 9);

test('grant gives with its terms, and again gives nothing twice', async () => {
  await using api = await runningApi({ now: NOW });
  const url = ['--url', api.url];
  const args = ['grant', 'etl', '100', '--id', 'm', '--monthly', '--rollover', '50', ...url];
  const once = await runCommand(grantCommand, args);
  assert.equal(once.out, 'etl has 100 credits each month by grant m\n', once.err);
  const json = await runCommand(grantCommand, [...args, '--json']);
  const grant = restGrant.parse(JSON.parse(json.out));
  assert.deepEqual(grant.monthly, { minRollover: '0', maxRollover: '50' });
  const back = ['grant', 'etl', '--id', 'oops', '--reason', 'twice', ...url, '--', '-5'];
  assert.equal((await runCommand(grantCommand, back)).exitCode, 0);
  const wrong = ['grant', 'etl', '5', '--id', 'w', '--expires', '2020-01-01T00:00:00Z', ...url];
  const refused = await runCommand(grantCommand, wrong);
  assert.equal(refused.exitCode, 4);
  assert.match(refused.err, /body\.expiresAt: must be later than the grant is valid from/);
});

test('grants shows what became of each, its months and who paid when', async () => {
  await using api = await runningApi({ now: NOW });
  const url = ['--url', api.url];
  for (const more of [
    ['20', '--id', 'first', '--expires', '2026-11-22T00:00:00Z'],
    ['100', '--id', 'm', '--monthly', '--priority', '3'],
  ]) {
    await runCommand(grantCommand, ['grant', 'etl', ...more, ...url]);
  }
  const nano = 1_000_000_000n;
  const charges = [aCharge({ hour: NOW, amount: 30n * nano })];
  await api.stores.ledgerWriter.settle(aSettlement({ charges, applications: [anApplication()] }));
  const { out } = await runCommand(grantsCommand, ['grants', 'etl', '--history', ...url]);
  assert.match(out, /^first +0 +2026-11-21T09:00 +2026-11-22T00:00 +20 +20 +0 +0/m);
  assert.match(out, /^m +3 +2026-11-01T00:00 +monthly +100 +10 +90 +0/m);
  assert.match(out, /^ {2}2026-11 +100 +10 +90 +0/m);
  assert.match(out, /20 of first, 10 of m\/2026-11/);
  const json = await runCommand(grantsCommand, ['grants', 'etl', '--json', ...url]);
  assert.equal(restGrants.parse(JSON.parse(json.out)).grants.length, 2);
});

test('balance of one project says when its credits end, and how sure that is', async () => {
  await using api = await runningApi({ now: NOW });
  const url = ['--url', api.url];
  await runCommand(grantCommand, ['grant', 'etl', '200', '--id', 'g', ...url]);
  const early = await runCommand(balanceCommand, ['balance', 'etl', ...url]);
  assert.match(early.out, /forecast: can't tell: 0 whole days of use are known/);
  const midnight = NOW - 9 * HOUR_MS;
  const charges = Array.from({ length: 120 }, (_, n) =>
    aCharge({ hour: midnight - (n + 1) * HOUR_MS, amount: 1_000_000_000n, digest: `h${n}` }),
  );
  await api.stores.ledgerWriter.settle(aSettlement({ charges, applications: [anApplication()] }));
  const { out } = await runCommand(balanceCommand, ['balance', 'etl', ...url]);
  assert.match(
    out,
    /^forecast: ends Tue 2026-11-24 17:00, between Tue 2026-11-24 17:00 and Tue 2026-11-24 17:00 UTC$/m,
  );
});
