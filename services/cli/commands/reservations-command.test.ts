import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restBalance, restQuotaCheck } from '../../../shared/contracts/rest.ts';
import { restReservations } from '../../../shared/contracts/rest-reservations.ts';
import { NO_LIMITS } from '../../../shared/rating/evaluate-limits.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { type RunningApi, runningApi } from '../../../test/support/running-api.ts';
import { balanceCommand } from './balance-command.ts';
import { limitsCommand } from './limits-command.ts';
import { reservationsCommand } from './reservations-command.ts';

async function holding(): Promise<RunningApi> {
  const api = await runningApi();
  await api.post('/v1/projects/etl/grants', { id: 'g1', credits: '10', reason: '' });
  const hold = { application: 'nightly', maxCost: '2.123456789', leaseSeconds: 60 };
  for (const id of ['r1', 'r2']) {
    const resources = { cores: 1.5, memoryMib: 1, gpus: 0, executors: 1 };
    assert.equal(
      (await api.post('/v1/projects/etl/reservations', { ...hold, id, resources })).status,
      201,
    );
  }
  return api;
}

const run = (api: RunningApi, ...args: readonly string[]) =>
  runCommand(reservationsCommand, ['reservations', ...args, '--url', api.url]);

test('reservations are listed for people, and exactly for scripts', async () => {
  await using api = await holding();
  const text = await run(api, 'list', '-p', 'etl');
  assert.equal(text.exitCode, 0, text.err);
  assert.match(text.out, /^ID +STATE +APPLICATION +HELD +SPENT +PENDING +CORES +UNTIL \(UTC\)$/m);
  assert.match(text.out, /^r1 +held +nightly +2\.123… +0 +2\.123… +1\.5 +2026-11-21T09:01:00/m);
  const json = await run(api, 'list', '-p', 'etl', '--state', 'held', '--json');
  const { reservations } = restReservations.parse(JSON.parse(json.out));
  assert.deepEqual(
    reservations.map(({ id, held }) => [id, held]),
    [
      ['r1', '2.123456789'],
      ['r2', '2.123456789'],
    ],
  );
  const none = await run(api, 'list', '-p', 'etl', '--state', 'voided');
  assert.equal(none.out, 'There are no such reservations.\n');
});

test('the limits of a project are shown with what is used, and which of them refuses', async () => {
  const limits = { ...NO_LIMITS, millicores: 3_000, storedBytes: 5n };
  await using api = await runningApi({ deps: { limitsOf: () => limits } });
  await api.post('/v1/projects/etl/grants', { id: 'g1', credits: '10', reason: '' });
  const hold = { id: 'r1', application: 'nightly', maxCost: '2.5', leaseSeconds: 60 };
  await api.post('/v1/projects/etl/reservations', { ...hold, resources: { cores: 3 } });
  const shown = await runCommand(limitsCommand, ['limits', 'etl', '--url', api.url]);
  assert.equal(shown.exitCode, 0, shown.err);
  assert.match(shown.out, /^credits +2\.5 +10$/m);
  assert.match(shown.out, /^cores +3 +3 +refuses$/m);
  assert.match(shown.out, /^stored-bytes +0 +5 +stale$/m);
  assert.match(shown.out, /^No job may start: project etl: 3 of 3 cores are in use or held/m);
  const json = await runCommand(limitsCommand, ['limits', 'etl', '--json', '--url', api.url]);
  assert.equal(restQuotaCheck.parse(JSON.parse(json.out)).reason, 'cores-exceeded');
  const unknown = await runCommand(limitsCommand, ['limits', 'nobody', '--url', api.url]);
  assert.match(unknown.out, /^No job may start: project nobody is unknown/);
});

test('one is ended by hand, once, and the balance shows it', async () => {
  await using api = await holding();
  const shown = await runCommand(balanceCommand, ['balance', 'etl', '--url', api.url]);
  assert.match(shown.out, /RESERVED/);
  assert.match(shown.out, /^etl +5\.753… +10 +0 +0 +4\.246… /m);
  const voided = await run(api, 'void', 'r1', '-p', 'etl');
  assert.match(voided.out, /^r1 is voided; project etl has 7\.876… credits left\.$/m);
  const again = await run(api, 'void', 'r1', '-p', 'etl');
  assert.match(again.out, /^r1 is voided, as it was before; /);
  const late = await run(api, 'post', 'r1', '-p', 'etl');
  assert.equal(late.exitCode, 4);
  assert.match(late.err, /r1 is voided at .* hold again under a new id/);
  await run(api, 'post', 'r2', '-p', 'etl');
  const balance = await api.get('/v1/projects/etl/balance', restBalance);
  assert.deepEqual([balance.reserved, balance.balance], ['0', '10']);
  const missing = await run(api, 'void', 'r9', '-p', 'etl');
  assert.match(missing.err, /has no reservation r9/);
});
