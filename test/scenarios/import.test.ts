import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { z } from 'zod';
import { importCommand } from '../../services/cli/commands/import-command.ts';
import { reportCost } from '../../services/reports/report-cost.ts';
import type { restBalance, restQuotaCheck } from '../../shared/contracts/rest.ts';
import type { restExplanation } from '../../shared/contracts/rest-explanation.ts';
import type { restProjectSpending } from '../../shared/contracts/rest-spending.ts';
import { openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { formatCredits, parseCredits } from '../../shared/values/money.ts';
import { type TrueStep, trueAmounts } from '../simulation/world/true-amounts.ts';
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

const HOUR_MS = 3_600_000;
const CARD = { coreSecond: 900_000n, gibSecond: 100_000n, gpuSecond: 20_000_000n };
type Explanation = z.infer<typeof restExplanation>;

/** Steps that change on each minute, over the whole of an application that ran long ago. */
function oldPrices({ start, end }: { readonly start: number; readonly end: number }): TrueStep[] {
  const first = Math.floor(start / 60_000) * 60_000;
  const steps = [2_000, 1_500, 1_050];
  const minutes = Math.ceil((end - first) / 60_000);
  return Array.from({ length: minutes }, (_, minute) => ({
    start: first + minute * 60_000,
    step: steps[minute % steps.length] ?? 1_000,
  }));
}

/** What an application's containers come to at those prices, by the hour and step. */
function truthOf({ containers }: Explanation, steps: readonly TrueStep[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { intervals } of containers) {
    const sizes = intervals.map(({ start, resources }) => ({ from: Date.parse(start), resources }));
    const [first, last] = [intervals[0], intervals.at(-1)];
    if (first === undefined || last === undefined) continue;
    const life = { start: Date.parse(first.start), end: Date.parse(last.end), sizes };
    for (const [line, amount] of trueAmounts(life, steps, CARD)) {
      sums.set(line, (sums.get(line) ?? 0n) + amount);
    }
  }
  return new Map([...sums].sort());
}

test('old event logs pay the prices of their time, however late they are imported', async () => {
  const paths = [sharedDataFile('spark4/eventlog')];
  const { attempts } = await reported(paths);
  const [start, end] = [
    Math.min(...attempts.map((one) => one.start)),
    Math.max(...attempts.map((one) => one.end)),
  ];
  const steps = oldPrices({ start, end });
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'data'));
  {
    await using ledger = await openLedger({ file: join(folder.path, 'data', 'ledger.db') });
    const why = { ruleVersion: 'then', reason: 'load', inputs: '{}', end: undefined };
    for (const one of steps) {
      const epoch = { id: `${one.start}`, pool: 'default', ...one, ...why };
      await ledger.priceWriter.announce(epoch, start - HOUR_MS);
    }
  }
  await using tollgate = await RunningTollgate.start(folder.path, {
    metering: { settleIntervalMs: 100, shadow: true, price: { frozen: true } },
    containers: { clusters: [{ id: 'old' }] },
  });
  const args = ['import', ...paths, '--project', 'history', '--days', '3650'];
  const where = ['--cluster', 'old', '--url', tollgate.url];
  assert.equal((await runCommand(importCommand, [...args, ...where])).exitCode, 0);
  const seen = new Set<number>();
  for (const { application } of attempts) {
    const path = `/v1/projects/history/explanations/${encodeURIComponent(application)}`;
    const explained = await tollgate.until(
      async () => {
        // Nobody knows the project before its first charge.
        const response = await fetch(`${tollgate.url}${path}`);
        return response.status === 404 ? undefined : ((await response.json()) as Explanation);
      },
      (told) => told !== undefined && told.containers.length > 0 && told.verdict.equal,
    );
    assert.ok(explained);
    const truth = truthOf(explained, steps);
    const charged = new Map<string, bigint>();
    for (const line of explained.containers.flatMap(({ lines }) => lines)) {
      const step = Math.round(Number(line.multiplier) * 1_000);
      const key = `${Date.parse(line.hour)}/${step}`;
      for (const { amount } of line.rows) {
        charged.set(key, (charged.get(key) ?? 0n) + (parseCredits(amount) ?? 0n));
      }
      seen.add(step);
    }
    assert.deepEqual(new Map([...charged].sort()), truth, application);
  }
  assert.deepEqual([...seen].sort(), [1_050, 1_500, 2_000].sort());
});
