import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS } from '../../../shared/values/instant.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  ETL,
  ML,
} from '../../../test/support/ledger-builders.ts';
import { openSignalBench, type SignalBench, valuesBy } from '../../../test/support/signal-bench.ts';

const CREDIT = 1_000_000_000n;
const grant = (id: string, credits: bigint, project = ETL) => ({
  ...{ id, project, amount: credits * CREDIT, reason: 'r', grantedAt: T0 - 40 * DAY_MS },
});

/** Charges of ETL, one each hour before T0, in credits; the newest last. */
async function charged(bench: SignalBench, credits: readonly bigint[]): Promise<void> {
  const charges = credits.map((amount, index) =>
    aCharge({
      amount: amount * CREDIT,
      hour: T0 - (credits.length - index) * HOUR_MS,
      digest: `h${index}`,
    }),
  );
  await bench.ledger.ledgerWriter.settle(
    aSettlement({
      asOf: T0,
      charges,
      applications: [anApplication({ start: T0 - 10 * DAY_MS })],
      containers: [aContainer({ accrued: 5n * CREDIT, perHour: 6n * CREDIT })],
    }),
  );
}

test('used percent counts what is charged and accrued; a project without grants is no subject', async () => {
  await using bench = await openSignalBench(T0);
  await bench.ledger.grants.grant(grant('g', 100n));
  await bench.ledger.grants.register(ML);
  await charged(bench, [10n, 30n]);
  const used = { kind: 'balance', measure: 'used-percent' };
  assert.deepEqual(valuesBy(await bench.samples(used), 'project'), { etl: 45 });
  const [sample] = await bench.samples({ kind: 'balance', measure: 'remaining' });
  assert.equal(sample?.value, 55);
  assert.deepEqual(sample?.cost, { perHour: '6', soFar: '45' });
  assert.equal(sample?.evidence[0]?.watermark, T0);
});

test('used percent is of the grants that hold: a month that is over counts no more', async () => {
  await using bench = await openSignalBench(T0);
  const monthly = { min: 0n, max: 0n };
  const terms = { priority: 0, validFrom: Date.UTC(2026, 9, 1), expiresAt: undefined, monthly };
  await bench.ledger.grants.grant({ ...grant('g', 100n), terms });
  await bench.ledger.ledgerWriter.settle(
    aSettlement({
      asOf: T0,
      applications: [anApplication()],
      charges: [
        aCharge({ amount: 90n * CREDIT, hour: Date.UTC(2026, 9, 20), digest: 'old' }),
        aCharge({ amount: 20n * CREDIT, hour: T0 - HOUR_MS }),
      ],
    }),
  );
  const used = { kind: 'balance', measure: 'used-percent' };
  assert.deepEqual(valuesBy(await bench.samples(used), 'project'), { etl: 20 });
});

test('a moment of the past counts the hours before it alone', async () => {
  await using bench = await openSignalBench(T0);
  await bench.ledger.grants.grant(grant('g', 100n));
  await charged(bench, [10n, 30n]);
  const used = { kind: 'balance', measure: 'used-percent' };
  assert.deepEqual(valuesBy(await bench.samples(used, T0 - HOUR_MS), 'project'), { etl: 10 });
});

test('the burn rate is over the mean of the hours before; a young project has none', async () => {
  await using bench = await openSignalBench(T0);
  await bench.ledger.grants.grant(grant('g', 100n));
  const rate = { kind: 'balance', measure: 'burn-rate', trailing: '1d' };
  await charged(bench, [2n, 2n, 2n]);
  const [young] = await bench.samples(rate);
  assert.equal(young?.value, undefined);
  assert.match(young?.why ?? '', /3 hours of its past are known, 6 are needed/);
  await using grown = await openSignalBench(T0);
  await grown.ledger.grants.grant(grant('g', 100n));
  await charged(grown, [2n, 2n, 2n, 2n, 2n, 2n, 2n, 2n]);
  assert.equal((await grown.samples(rate))[0]?.value, 3);
  assert.equal((await grown.samples({ ...rate, minimum: 7 }))[0]?.value, 0);
});

test('hours left are those of the forecast; where credits last they reach its horizon', async () => {
  await using bench = await openSignalBench(T0);
  await bench.ledger.grants.grant(grant('g', 700n));
  await charged(
    bench,
    Array.from({ length: 24 * 8 }, () => 3n),
  );
  const left = { kind: 'balance', measure: 'hours-left' };
  const [sample] = await bench.samples(left);
  // 700 − 576 − 5 of accrual, at 3 an hour.
  assert.ok(sample?.value !== undefined && sample.value > 30 && sample.value < 45);
  await bench.ledger.grants.grant(grant('more', 1_000_000n));
  const [lasting] = await bench.samples(left);
  assert.ok(lasting?.value !== undefined && lasting.value > 24 * 90);
});

test('a project that nobody knows fails the reading', async () => {
  await using bench = await openSignalBench(T0);
  await bench.ledger.grants.register(ETL);
  const reading = await bench.read({
    ...{ kind: 'balance', measure: 'remaining', projects: ['etl', 'typo'] },
  });
  assert.ok(reading.outcome === 'failed');
  assert.match(reading.why, /nobody knows: typo/);
});
