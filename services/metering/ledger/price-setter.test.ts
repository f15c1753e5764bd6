import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_PRICE_RULE } from '../../../shared/price/price-rule.ts';
import { openLedger } from '../../../shared/stores/sql/open-ledger.ts';
import { MINUTE_MS } from '../../../shared/values/instant.ts';
import { loadFact, T0 } from '../../../test/support/fact-builders.ts';
import { journalBatch } from '../../../test/support/journal-batch.ts';
import { PriceSetter } from './price-setter.ts';

const CLUSTERS = { id: 'default', clusters: (all: string[]) => all.filter((n) => n !== 'other') };

/** An hour of load, evaluated each minute, with a new setter every `restartEvery` minutes. */
async function anHour(restartEvery: number) {
  await using ledger = await openLedger({ file: ':memory:' });
  const stores = { journal: ledger.journalReader, prices: ledger.priceWriter };
  const setterOf = () => new PriceSetter(stores, CLUSTERS, DEFAULT_PRICE_RULE);
  let setter = setterOf();
  for (let minute = 0; minute < 60; minute += 1) {
    const facts = [0, 10, 20, 30, 40, 50].flatMap((second) => {
      const at = T0 + minute * MINUTE_MS + second * 1_000;
      const share = 0.5 + ((minute * 7 + second) % 90) / 90;
      return [loadFact(at, share), loadFact(at, 3, { cluster: 'other' })];
    });
    await ledger.journalWriter.record(journalBatch({ facts }), T0);
    if (minute % restartEvery === 0) setter = setterOf();
    await setter.evaluate(T0 + (minute + 1) * MINUTE_MS + 500);
  }
  return await ledger.priceWriter.epochs('default', T0, T0 + 120 * MINUTE_MS);
}

test('prices are the same to the bit however often the setter is started again', async () => {
  const steady = await anHour(1_000);
  assert.ok(steady.length >= 5, `${steady.length} epochs`);
  assert.deepEqual(await anHour(7), steady);
  assert.deepEqual(await anHour(1), steady);
});

test('clusters of another pool do not move the price', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  const stores = { journal: ledger.journalReader, prices: ledger.priceWriter };
  const setter = new PriceSetter(stores, CLUSTERS, DEFAULT_PRICE_RULE);
  for (let minute = 0; minute < 20; minute += 1) {
    const at = T0 + minute * MINUTE_MS;
    const facts = [loadFact(at, 2, { cluster: 'other' }), loadFact(at, 0.1)];
    await ledger.journalWriter.record(journalBatch({ facts }), at);
    await setter.evaluate(at + MINUTE_MS);
  }
  const epochs = await ledger.priceWriter.epochs('default', T0, T0 + 60 * MINUTE_MS);
  assert.deepEqual(
    epochs.map(({ step }) => step),
    [1_000],
  );
});

test('an announcement that fails is thought over again from what the book says', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  let failures = 1;
  const prices = {
    epochs: ledger.priceWriter.epochs.bind(ledger.priceWriter),
    announce: async (...words: Parameters<typeof ledger.priceWriter.announce>) => {
      failures -= 1;
      if (failures === 0) throw new Error('no answer');
      await ledger.priceWriter.announce(...words);
    },
  };
  const setter = new PriceSetter(
    { journal: ledger.journalReader, prices },
    CLUSTERS,
    DEFAULT_PRICE_RULE,
  );
  await assert.rejects(setter.evaluate(T0), /no answer/);
  assert.equal((await setter.evaluate(T0 + 1))?.reason, 'first');
});
