import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SMALL, T0 } from '../../test/support/fact-builders.ts';
import { divideHalfEven } from '../values/divide-half-even.ts';
import { HOUR_MS } from '../values/instant.ts';
import { DEFAULT_RATE_CARD, type RateCard } from '../values/rate-card.ts';
import { quantityOf, rateQuantity } from './rate-interval.ts';
import { type ClusterPlace, type ScopedRateCard, TariffBook } from './tariff-book.ts';

const card = (id: string, coreSecond = 1_000_000n): RateCard => ({
  ...DEFAULT_RATE_CARD,
  id,
  coreSecond,
});
const CARDS: readonly ScopedRateCard[] = [
  { card: card('base'), validFrom: 0 },
  { card: card('base-2'), validFrom: T0 },
  { card: card('spot'), validFrom: 0, market: 'spot' },
  { card: card('gpu'), validFrom: T0 - HOUR_MS, pool: 'gpu' },
  { card: card('gpu-spot'), validFrom: T0 + HOUR_MS, pool: 'gpu', market: 'spot' },
];

function idsOf(place: ClusterPlace): string[] {
  const tariff = new TariffBook(CARDS).at(place);
  return [0, T0 - HOUR_MS, T0, T0 + HOUR_MS].map((at) => tariff.cardAt(at).id);
}

test('the most exact card that has begun holds: pool and market, pool, market, all', () => {
  const [cpu, gpu] = ['cpu', 'gpu'];
  assert.deepEqual(idsOf({ pool: cpu, market: undefined }), ['base', 'base', 'base-2', 'base-2']);
  assert.deepEqual(idsOf({ pool: undefined, market: 'spot' }), ['spot', 'spot', 'spot', 'spot']);
  assert.deepEqual(idsOf({ pool: gpu, market: 'on-demand' }), ['base', 'gpu', 'gpu', 'gpu']);
  assert.deepEqual(idsOf({ pool: gpu, market: 'spot' }), ['spot', 'gpu', 'gpu', 'gpu-spot']);
  assert.deepEqual(idsOf({ pool: gpu, market: undefined }), ['base', 'gpu', 'gpu', 'gpu']);
});

test('before every card the first general one holds', () => {
  assert.equal(new TariffBook(CARDS).at({ pool: 'gpu', market: 'spot' }).cardAt(-1).id, 'base');
});

test('a cluster has the cards of its pool and market', () => {
  const book = new TariffBook(CARDS, (cluster) =>
    cluster === 'emr' ? { pool: 'gpu', market: 'spot' } : { pool: 'cpu', market: undefined },
  );
  assert.equal(book.of('emr').cardAt(T0 + HOUR_MS).id, 'gpu-spot');
  assert.equal(book.of('yarn').cardAt(T0).id, 'base-2');
  assert.equal(book.ofPool('gpu').cardAt(T0).id, 'gpu');
});

test('the first nodes on demand: each container pays both rates by their share, rounded once', () => {
  const rates = fc.bigInt({ min: 0n, max: 10n ** 9n });
  fc.assert(
    fc.property(
      fc.record({ dear: rates, cheap: rates, nodes: fc.integer({ min: 1, max: 999 }) }),
      fc.integer({ min: 0, max: 999 }),
      fc.integer({ min: 1, max: HOUR_MS }),
      ({ dear, cheap, nodes }, some, ms) => {
        const onDemand = some % (nodes + 1);
        const [a, b] = [card('a', dear), { ...card('b', cheap), minimum: 1n }];
        const book = new TariffBook([
          { card: a, validFrom: 0 },
          { card: b, validFrom: 0, market: 'spot' },
        ]);
        const mixed = book.at({ pool: undefined, market: { onDemand, nodes } }).cardAt(T0);
        const quantity = quantityOf({ start: 0, end: ms, resources: SMALL });
        const [n, m] = [BigInt(onDemand), BigInt(nodes - onDemand)];
        // Nanocredits of two cores and four GiB; the divisor is 1,000 ms and the share.
        const exact = (coreSecond: bigint) =>
          (2n * coreSecond + 4n * DEFAULT_RATE_CARD.gibSecond) * BigInt(ms);
        const right = divideHalfEven(exact(dear) * n + exact(cheap) * m, 1_000n * (n + m));
        assert.equal(rateQuantity(quantity, 1_000, mixed), right);
      },
    ),
  );
});

test('a mixed card names its parts', () => {
  const market = { onDemand: 2, nodes: 10 };
  const id = (at: number) => new TariffBook(CARDS).at({ pool: 'gpu', market }).cardAt(at).id;
  assert.equal(id(T0 + HOUR_MS), 'gpu*2+gpu-spot*8');
  assert.equal(id(T0), 'gpu', 'both markets have one card');
});
