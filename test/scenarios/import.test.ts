import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { importCommand } from '../../services/cli/commands/import-command.ts';
import { reportCost } from '../../services/reports/report-cost.ts';
import type { restBalance, restQuotaCheck } from '../../shared/contracts/rest.ts';
import type { restProjectSpending } from '../../shared/contracts/rest-spending.ts';
import { formatCredits } from '../../shared/values/money.ts';
import { runCommand } from '../support/run-command.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { sharedDataFile } from '../support/shared-data.ts';

const LOGS = ['spark4/eventlog', 'spark-eventlogs/nvidia-rapids-tools/multiple_attempts'];

/** What `tollgate report` makes of the same logs, and the slot time that it knows. */
async function reported(paths: readonly string[]) {
  const { total } = await reportCost({
    ...{ paths, by: 'application', unused: 'by-use', yarnMemoryStepMib: 0 },
    ...{ ratesFile: undefined, rulesFile: undefined, onProgress: () => undefined },
    signal: new AbortController().signal,
  });
  return total;
}

test('old event logs are charged as the report says, once, and refused nobody in shadow mode', async () => {
  const paths = LOGS.map(sharedDataFile);
  await using folder = await temporaryFolder();
  await using tollgate = await RunningTollgate.start(folder.path, {
    metering: {
      shadow: true,
      settleIntervalMs: 100,
      projects: [{ id: 'history', grants: [{ id: 'little', credits: '0.001' }] }],
    },
    containers: { clusters: [{ id: 'old' }] },
  });
  const run = (...args: string[]) =>
    runCommand(importCommand, ['import', ...args, '--cluster', 'old', '--url', tollgate.url]);
  const arrange = ['--project', 'history', '--days', '3650', '--json'];
  const first = await run(...paths, ...arrange);
  assert.equal(first.exitCode, 0, first.err);
  const told = JSON.parse(first.out);
  const { attempts, rows } = await reported(paths);
  assert.equal(told.attempts, attempts.length);
  assert.deepEqual([told.stored, told.duplicates, told.refused], [told.lines, 0, 0]);

  const whole = formatCredits(rows.reduce((sum, { amount }) => sum + amount, 0n));
  const balance = await tollgate.until(
    () => tollgate.get<z.infer<typeof restBalance>>('/v1/projects/history/balance'),
    ({ charged }) => charged === whole,
  );
  assert.equal(balance.shadow, true);
  const spent = await tollgate.get<z.infer<typeof restProjectSpending>>(
    '/v1/projects/history/where?from=2000-01-01T00:00:00Z',
  );
  assert.equal(spent.charged, whole);
  assert.equal(spent.parts.untold, '0', 'slot times came with the logs');
  assert.ok(Number(spent.parts.useful) > 0);
  const check = await tollgate.post('/v1/quota-checks', '{"project":"history"}', {
    'content-type': 'application/json',
  });
  const verdict = (await check.json()) as z.infer<typeof restQuotaCheck>;
  assert.deepEqual([verdict.allowed, verdict.reason], [true, 'shadow']);

  const again = JSON.parse((await run(...paths, ...arrange)).out);
  assert.equal(again.refused, 0);
  assert.equal(
    again.stored,
    attempts.length,
    'nothing but the slot times, which replace themselves',
  );
  assert.equal(
    (await tollgate.get<z.infer<typeof restBalance>>('/v1/projects/history/balance')).charged,
    whole,
  );
});
