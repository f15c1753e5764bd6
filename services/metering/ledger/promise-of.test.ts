import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QUOTE_TAG } from '../../../shared/price/price-promise.ts';
import { rateQuantity } from '../../../shared/rating/rate-interval.ts';
import { MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { DEFAULT_RATE_CARD } from '../../../shared/values/rate-card.ts';
import { applicationFact, containerFact, SMALL, T0 } from '../../../test/support/fact-builders.ts';
import { allCharges, runMetering } from '../../../test/support/metering-run.ts';
import { promiseOf } from './promise-of.ts';

const ETL = 'etl' as ProjectId;
const HALF_MS = 30 * MINUTE_MS;

test('nothing is read where no application names a promise', async () => {
  const reader = { promises: () => assert.fail('it was read') };
  const promised = await promiseOf(reader, [{ project: ETL, tags: { stage: 'prod' } }]);
  assert.equal(promised({ project: ETL, tags: {} }), undefined);
});

/** An hour of a container at 1.50 X, with a promise of 1.10 X over its first half. */
async function chargedUnder(tags: Record<string, string>, project: ProjectId) {
  await using run = await runMetering(T0, {
    settleIntervalMs: 86_400_000,
    price: { frozen: true },
  });
  const { ledger, clock } = run;
  await ledger.priceWriter.announce(
    {
      ...{ id: 'e1', pool: 'default', step: 1_500, start: T0, end: undefined },
      ...{ ruleVersion: 'test', reason: 'load', inputs: '{}' },
    },
    T0 - 1,
  );
  const span = { start: T0, end: T0 + HALF_MS };
  await ledger.quotes.keep(
    {
      ...{ id: 'q1', project: ETL, pool: 'default', step: 1_100, ...span },
      ...{ application: 'nightly', quotedBy: 'test' },
    },
    1,
  );
  await clock.advance(2 * HALF_MS);
  await run.tell([
    applicationFact('application-seen', T0, { tags, project }),
    containerFact('container-started', T0),
    containerFact('container-stopped', T0 + 2 * HALF_MS),
  ]);
  const charges = await allCharges(ledger);
  return charges.map(({ step, amount }) => [step, amount]);
}

const price = (ms: number, step: number): bigint =>
  rateQuantity(
    {
      containerMs: BigInt(ms),
      millicoreMs: BigInt(ms * SMALL.millicores),
      mibMs: BigInt(ms * SMALL.memoryMib),
      gpuMs: 0n,
    },
    step,
    DEFAULT_RATE_CARD,
  );

test('Price change inside a slice: who names its promise pays at most that, to its very end', async () => {
  assert.deepEqual(await chargedUnder({ [QUOTE_TAG]: 'q1' }, ETL), [
    [1_100, price(HALF_MS, 1_100)],
    [1_500, price(HALF_MS, 1_500)],
  ]);
});

test("a promise that isn't there, or another project's, is worth nothing", async () => {
  const full = [[1_500, price(2 * HALF_MS, 1_500)]];
  assert.deepEqual(await chargedUnder({ [QUOTE_TAG]: 'q2' }, ETL), full);
  assert.deepEqual(await chargedUnder({ [QUOTE_TAG]: 'q1' }, 'ml' as ProjectId), full);
  assert.deepEqual(await chargedUnder({}, ETL), full);
});
