import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PriceEpoch } from '../../shared/contracts/charge.ts';
import type { PriceWriter } from '../../shared/stores/price-book.ts';
import { T0 } from '../support/fact-builders.ts';

interface OpenPriceBook extends AsyncDisposable {
  readonly priceWriter: PriceWriter;
}

function epoch(start: number, step: number, pool = 'default'): PriceEpoch {
  return {
    id: `${pool}@${start}`,
    pool,
    step,
    start,
    end: undefined,
    ruleVersion: 'load-1',
    reason: 'load',
    inputs: '{"share":0.8}',
  };
}

/** What every price book does, whatever it is stored in. */
export function priceBookSuite(engine: string, open: () => Promise<OpenPriceBook>): void {
  test(`${engine}: an epoch lasts until the next one starts`, async () => {
    await using store = await open();
    const book = store.priceWriter;
    await book.announce(epoch(T0, 1_000), T0 - 60);
    await book.announce(epoch(T0 + 100, 1_050), T0);
    await book.announce(epoch(T0 + 200, 1_000), T0);
    await book.announce(epoch(T0 + 50, 2_000, 'gpu'), T0);
    const steps = async (from: number, until: number) =>
      (await book.epochs('default', from, until)).map(({ start, end, step }) => [
        start - T0,
        end === undefined ? undefined : end - T0,
        step,
      ]);
    assert.deepEqual(await steps(T0 + 150, T0 + 151), [[100, 200, 1_050]]);
    assert.deepEqual(await steps(T0 - 50, T0 + 100), [[0, 100, 1_000]]);
    assert.deepEqual(await steps(T0 + 100, T0 + 101), [[100, 200, 1_050]]);
    assert.deepEqual(await steps(T0, T0 + 999), [
      [0, 100, 1_000],
      [100, 200, 1_050],
      [200, undefined, 1_000],
    ]);
    assert.deepEqual(await steps(T0 - 50, T0), []);
    assert.deepEqual(await book.epochs('none', T0, T0 + 9), []);
  });

  test(`${engine}: an epoch comes back as it was announced`, async () => {
    await using store = await open();
    await store.priceWriter.announce(epoch(T0, 1_150), T0);
    assert.deepEqual(await store.priceWriter.epochs('default', T0, T0 + 1), [epoch(T0, 1_150)]);
  });

  test(`${engine}: announcing again is a no-op, changing the past a conflict`, async () => {
    await using store = await open();
    const book = store.priceWriter;
    await book.announce(epoch(T0, 1_000), T0);
    await book.announce(epoch(T0, 1_000), T0 + 5);
    await assert.rejects(book.announce(epoch(T0, 1_050), T0), { code: 'CONFLICT' });
    await assert.rejects(book.announce(epoch(T0 - 1, 1_050), T0), { code: 'CONFLICT' });
    assert.equal((await book.epochs('default', T0, T0 + 1)).length, 1);
  });

  test(`${engine}: an evaluation stands until the next one, with what it announced`, async () => {
    await using store = await open();
    const book = store.priceWriter;
    const first = { pool: 'default', at: T0, ruleVersion: 'load-2', inputs: '{"load":0.5}' };
    assert.equal(await book.evaluation('default'), undefined);
    await book.conclude(first, undefined, T0 + 1);
    assert.deepEqual(await book.evaluation('default'), first);
    const next = { ...first, at: T0 + 60, inputs: '{"load":0.7}' };
    await book.conclude(next, epoch(T0 + 180, 1_050), T0 + 61);
    await book.conclude(next, epoch(T0 + 180, 1_050), T0 + 62);
    assert.deepEqual(await book.evaluation('default'), next);
    assert.equal(await book.evaluation('gpu'), undefined);
    assert.equal((await book.epochs('default', T0, T0 + 999)).length, 1);
  });

  test(`${engine}: an evaluation never goes back, and stands or falls with its epoch`, async () => {
    await using store = await open();
    const book = store.priceWriter;
    const kept = { pool: 'default', at: T0, ruleVersion: 'load-2', inputs: '{}' };
    await book.conclude(kept, epoch(T0 + 120, 1_000), T0);
    for (const other of [{ at: T0 - 60 }, { inputs: '{"load":1}' }]) {
      const conclusion = book.conclude({ ...kept, ...other }, epoch(T0 + 999, 1_050), T0);
      await assert.rejects(conclusion, { code: 'CONFLICT' });
    }
    const later = { ...kept, at: T0 + 60 };
    await assert.rejects(book.conclude(later, epoch(T0 + 120, 1_050), T0), { code: 'CONFLICT' });
    assert.deepEqual(await book.evaluation('default'), kept);
    assert.equal((await book.epochs('default', T0, T0 + 9_999)).length, 1);
  });
}
