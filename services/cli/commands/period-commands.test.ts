import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restClosedPeriod, restPeriodReport } from '../../../shared/contracts/rest-periods.ts';
import { aCharge, anApplication, aSettlement, ETL } from '../../../test/support/ledger-builders.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { runningApi } from '../../../test/support/running-api.ts';
import { closeCommand } from './close-command.ts';
import { periodCommand } from './period-command.ts';

test('period prints the books of a month by application and role, close freezes them', async () => {
  await using api = await runningApi();
  const hour = Date.UTC(2026, 9, 31, 23);
  const more = { hour, amount: 2_500_000_000n, step: 1_250, storedAt: hour };
  await api.stores.ledgerWriter.settle(
    aSettlement({
      asOf: api.clock.now(),
      applications: [anApplication()],
      charges: [aCharge(more)],
    }),
  );
  const asked = ['period', '-p', ETL, '-m', '2026-10', '--url', api.url];
  const text = await runCommand(periodCommand, asked);
  assert.equal(text.exitCode, 0, text.err);
  assert.match(text.out, /^etl 2026-10, open, as of 2026-11-/);
  assert.match(text.out, /^CLUSTER +APPLICATION +ROLE +BASE +SURGE +MINIMUM +INFERRED +AMOUNT$/m);
  assert.match(text.out, /^yarn-1 +app-1 +2 +0\.5 +0 +0 +2\.5$/m);
  assert.match(text.out, /^ +executor +2 +0\.5 +0 +0 +2\.5$/m);
  assert.match(text.out, /^ +total +2 +0\.5 +0 +0 +2\.5$/m);
  assert.match(text.out, /\n\nsha256:[0-9a-f]{64}\n$/);
  const closing = ['close', '--month', '2026-10', '--url', api.url];
  const closed = await runCommand(closeCommand, closing);
  assert.match(closed.out, /^2026-10 is closed since 2026-11-\S+Z\n$/);
  const earlier = await runCommand(closeCommand, ['close', '-m', '2026-09', '--url', api.url]);
  assert.match(earlier.out, /^2026-09 is closed since \S+, with 2026-10\n$/);
  const json = await runCommand(closeCommand, [...closing, '--json']);
  assert.equal(restClosedPeriod.parse(JSON.parse(json.out)).month, '2026-10');
  const answer = await runCommand(periodCommand, [...asked, '--json']);
  assert.equal(restPeriodReport.parse(JSON.parse(answer.out)).report.state, 'closed');
});

test('a cut-off that is not known yet, or a month that is not over, is said', async () => {
  await using api = await runningApi();
  await api.stores.grants.register(ETL);
  const asked = ['period', '-p', ETL, '-m', '2026-10', '--as-of', '2026-11-21T00:00:00Z'];
  const period = await runCommand(periodCommand, [...asked, '--url', api.url]);
  assert.equal(period.exitCode, 4);
  assert.match(period.err, /query.asOf: the ledger is settled up to/);
  const close = await runCommand(closeCommand, ['close', '-m', '2026-11', '--url', api.url]);
  assert.equal(close.exitCode, 4);
  assert.match(close.err, /2026-11 can be closed from 2026-12-04/);
});
