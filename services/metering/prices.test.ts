import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { type Ledger, openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { applicationFact, containerFact, loadFact, T0 } from '../../test/support/fact-builders.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { journalBatch } from '../../test/support/journal-batch.ts';
import {
  allCharges,
  meteringOptions,
  meteringStores,
  netCharges,
} from '../../test/support/metering-run.ts';
import type { meteringConfig } from './config.ts';
import { startMetering } from './start.ts';

/** 2 cores and 4 GiB for a second at the base price. */
const PER_SECOND = 2_200_000n;

/** Metering from T0 + an hour on, with every pool at 1.50 X since long before. */
async function surging(ledger: Ledger, options: z.input<typeof meteringConfig>) {
  const config = meteringOptions({ settleIntervalMs: 86_400_000, ...options });
  for (const { id: pool } of config.pools) {
    const words = { id: `${pool}@`, pool, ruleVersion: 'v', reason: 'load', inputs: '{}' };
    const epoch = { ...words, step: 1_500, start: T0 - HOUR_MS, end: undefined };
    await ledger.priceWriter.announce(epoch, T0 - HOUR_MS);
  }
  const clock = new FakeClock(T0 + HOUR_MS);
  const metering = await startMetering({
    config,
    stores: meteringStores(ledger),
    clock,
    logger: silentLogger,
    metrics: new Metrics(),
    random: () => 0,
  });
  return Object.assign(metering, { clock });
}

const steps = async (ledger: Ledger) =>
  (await allCharges(ledger)).map(({ type, project, step, amount }) => {
    return [type, project, step, amount];
  });

test('a project whose price a rate card fixes pays that, also once it is known late', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  await using run = await surging(ledger, { rateCard: { fixedMultipliers: { etl: 0.9 } } });
  const seconds = [
    containerFact('container-started', T0),
    containerFact('container-stopped', T0 + 10_000),
  ];
  await ledger.journalWriter.record(journalBatch({ facts: seconds }), T0);
  await run.settleNow();
  const surged = PER_SECOND * 15n;
  assert.deepEqual(await steps(ledger), [['ORIGINAL', 'unattributed', 1_500, surged]]);
  const named = journalBatch({ facts: [applicationFact('application-seen', T0)] });
  await ledger.journalWriter.record(named, T0);
  await run.settleNow();
  assert.deepEqual(netCharges(await allCharges(ledger)).length, 1);
  assert.deepEqual(
    (await ledger.ledgerReader.balance('etl' as ProjectId))?.charged,
    PER_SECOND * 9n,
  );
  const rows = await steps(ledger);
  assert.deepEqual(
    rows.filter(([, project]) => project === 'etl').map(([, , step, amount]) => [step, amount]),
    [[900, PER_SECOND * 9n]],
  );
});

test('a cluster that one application has to itself pays the base price', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  const clusters = [
    { id: 'job-17', use: 'transient' as const },
    { id: 'notebook', use: 'single-application' as const },
  ];
  await using run = await surging(ledger, { clusters });
  const facts = ['yarn-1', 'job-17', 'notebook'].flatMap((cluster) => [
    containerFact('container-started', T0, { cluster, id: `${cluster}/a` }),
    containerFact('container-stopped', T0 + 1_000, { cluster, id: `${cluster}/b` }),
  ]);
  await ledger.journalWriter.record(journalBatch({ facts }), T0);
  await run.settleNow();
  const paid = (await allCharges(ledger)).map(({ cluster, step }) => [cluster, step]);
  assert.deepEqual(paid.sort(), [
    ['job-17', 1_000],
    ['notebook', 1_000],
    ['yarn-1', 1_500],
  ]);
});

test('each pool is priced by its own load, its own rule and what its clusters may grow to', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  await using run = await surging(ledger, {
    pools: [
      { id: 'rest', clusters: ['*'] },
      { id: 'grows', clusters: ['auto'] },
      { id: 'lab', clusters: ['lab-1'], price: { cap: 1.2 } },
    ],
    clusters: [{ id: 'auto', capacityMax: { cores: 1_000, memoryGib: 1_000 } }],
  });
  for (let minute = 0; minute < 60; minute += 1) {
    const now = run.clock.now();
    const facts = ['yarn-1', 'auto', 'lab-1'].flatMap((cluster) =>
      [0, 20, 40].map((second) => loadFact(now + second * 1_000, 1, { cluster })),
    );
    await ledger.journalWriter.record(journalBatch({ facts }), now);
    await run.clock.advance(MINUTE_MS);
    await run.settleNow();
  }
  const last = async (pool: string) => (await ledger.priceWriter.epochs(pool, T0, 1e15)).at(-1);
  assert.ok(((await last('rest'))?.step ?? 0) > 2_000);
  assert.equal((await last('grows'))?.step, 1_000);
  assert.equal((await last('lab'))?.step, 1_200);
});
