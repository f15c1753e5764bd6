import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PriceEpoch } from '../../../shared/contracts/charge.ts';
import type { ContainerLife } from '../../../shared/intervals/container-life.ts';
import { Tariff } from '../../../shared/rating/tariff.ts';
import { HOUR_MS, MINUTE_MS, utcHour } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { DEFAULT_RATE_CARD } from '../../../shared/values/rate-card.ts';
import { SMALL, T0 } from '../../../test/support/fact-builders.ts';
import { meterContainer } from './meter-container.ts';

const tariff = new Tariff([{ card: DEFAULT_RATE_CARD, validFrom: 0 }]);
const PAYER = {
  cluster: 'yarn-1',
  container: 'c1',
  application: 'app-1',
  project: 'etl' as ProjectId,
  role: 'executor',
  tags: '{}',
};

function life(end: number, more: Partial<ContainerLife> = {}): ContainerLife {
  const start = more.start ?? T0;
  return {
    application: 'app-1',
    attempt: '1',
    role: 'executor',
    start,
    end,
    witnessedUntil: end,
    coverage: 'exact',
    intervals: [{ start, end, resources: SMALL }],
    ...more,
  };
}

function epoch(start: number, step: number): PriceEpoch {
  const words = { id: `${start}`, pool: 'default', ruleVersion: 'v', reason: '', inputs: '{}' };
  return { ...words, start, end: undefined, step };
}

function meter(one: ContainerLife, now: number, epochs: readonly PriceEpoch[] = []) {
  const context = { now, tariff, epochs, accrualIntervalMs: 4_000, closedUntil: undefined };
  return meterContainer({ life: one, payer: PAYER, from: Number.NEGATIVE_INFINITY }, [], context);
}

/** 2 cores and 4 GiB for a second at the base price. */
const PER_SECOND = 2_200_000n;

test('a container that is over is charged to its end', () => {
  const { charges, state } = meter(life(T0 + 90 * MINUTE_MS), T0 + 2 * HOUR_MS);
  assert.deepEqual(
    charges.map(({ amount }) => amount),
    [PER_SECOND * 3_600n, PER_SECOND * 1_800n],
  );
  assert.deepEqual(
    [state.state, state.accrued, state.perHour, state.nextAt],
    ['ended', 0n, 0n, undefined],
  );
});

test('one that runs is charged for its whole hours, and accrues to its last evidence', () => {
  const open = life(T0 + 90 * MINUTE_MS, { coverage: 'open' });
  const { charges, state } = meter(open, T0 + 91 * MINUTE_MS, [epoch(T0 + 80 * MINUTE_MS, 2_000)]);
  assert.deepEqual(
    charges.map(({ hour, amount }) => [hour, amount]),
    [[T0, PER_SECOND * 3_600n]],
  );
  // Twenty minutes at 1.00, ten at 2.00.
  assert.equal(state.accrued, PER_SECOND * 1_200n + PER_SECOND * 1_200n);
  assert.equal(state.perHour, PER_SECOND * 3_600n * 2n);
  assert.deepEqual([state.chargedUntil, state.nextAt], [T0 + HOUR_MS, T0 + 91 * MINUTE_MS + 4_000]);
});

test('nothing is charged beyond now, where a price may still be announced', () => {
  const ahead = life(T0 + 3 * HOUR_MS);
  const { charges, state } = meter(ahead, T0 + 90 * MINUTE_MS);
  assert.equal(charges.length, 1);
  assert.deepEqual([state.state, state.end], ['running', T0 + 90 * MINUTE_MS]);
});

test('only hours that were not seen throughout are inferred', () => {
  const inferred = life(T0 + 3 * HOUR_MS + 5, {
    coverage: 'inferred',
    witnessedUntil: T0 + 90 * MINUTE_MS,
  });
  assert.deepEqual(
    meter(inferred, T0 + 9 * HOUR_MS).charges.map(({ coverage }) => coverage),
    ['exact', 'inferred', 'inferred', 'inferred'],
  );
});

test('a life of no length has a state and no charge', () => {
  const { charges, state } = meter(life(T0, { intervals: [] }), T0 + 1);
  assert.deepEqual(charges, []);
  assert.equal(state.state, 'ended');
});

test('an oracle that sums every millisecond agrees', () => {
  const piece = fc.record({
    ms: fc.integer({ min: 1, max: 400 }),
    resources: fc.record({
      millicores: fc.integer({ min: 0, max: 4_001 }),
      memoryMib: fc.integer({ min: 0, max: 5_001 }),
      gpus: fc.nat(2),
    }),
  });
  const steps = fc.array(
    fc.record({
      after: fc.integer({ min: 1, max: 500 }),
      step: fc.constantFrom(1_000, 1_050, 950),
    }),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 4 }),
      steps,
      fc.nat(900),
      (list, moves, lead) => {
        const start = T0 + HOUR_MS - lead;
        let end = start;
        const intervals = list.map(({ ms, resources }) => {
          const interval = { start: end, end: end + ms, resources };
          end += ms;
          return interval;
        });
        let at = start - 250;
        const epochs = moves.map(({ after, step }) => {
          at += after;
          return epoch(at, step);
        });
        const expected = new Map<string, bigint>();
        for (const interval of intervals) {
          for (let ms = interval.start; ms < interval.end; ms += 1) {
            const step = epochs.findLast((one) => one.start <= ms)?.step ?? 1_000;
            const { millicores, memoryMib, gpus } = interval.resources;
            // In units of 10⁻⁹ credits ÷ 128,000,000,000: exact, rounded only at the end.
            const unit =
              (BigInt(millicores) * 900_000n * 128n +
                BigInt(memoryMib) * 100_000n * 125n +
                BigInt(gpus) * 20_000_000n * 128_000n) *
              BigInt(step);
            const key = `${utcHour(ms)}/${step}`;
            expected.set(key, (expected.get(key) ?? 0n) + unit);
          }
        }
        const { charges } = meter(life(end, { start, intervals }), end, epochs);
        assert.equal(charges.length, expected.size);
        for (const { hour, step, amount } of charges) {
          const exact = expected.get(`${hour}/${step}`) ?? -1n;
          const twiceError = (amount * 128_000_000_000n - exact) * 2n;
          assert.ok(twiceError <= 128_000_000_000n && twiceError >= -128_000_000_000n);
        }
      },
    ),
  );
});

test('a fixed price is what a container accrues and costs an hour, whatever the pool asks', () => {
  const fixedSteps = new Map([['etl', 500]]);
  const fixed = new Tariff([{ card: DEFAULT_RATE_CARD, validFrom: 0, fixedSteps }]);
  const now = T0 + 30 * MINUTE_MS;
  const context = {
    now,
    tariff: fixed,
    epochs: [epoch(T0, 2_000)],
    accrualIntervalMs: 4_000,
    closedUntil: undefined,
  };
  const running = { life: life(now, { coverage: 'open' }), payer: PAYER, from: T0 };
  const { state } = meterContainer(running, [], context);
  assert.deepEqual([state.accrued, state.perHour], [PER_SECOND * 900n, PER_SECOND * 1_800n]);
});
