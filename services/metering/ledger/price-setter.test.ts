import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LoadFact } from '../../../shared/contracts/container-fact.ts';
import { must } from '../../../shared/errors/assert.ts';
import { priceInputs } from '../../../shared/price/evaluate-price.ts';
import { DEFAULT_PRICE_RULE } from '../../../shared/price/price-rule.ts';
import type { Fence, Lease } from '../../../shared/stores/lease.ts';
import { openSqliteLeaseStore } from '../../../shared/stores/sql/lease-store.ts';
import { type Ledger, openLedger } from '../../../shared/stores/sql/open-ledger.ts';
import { MINUTE_MS } from '../../../shared/values/instant.ts';
import { loadFact, T0 } from '../../../test/support/fact-builders.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { journalBatch } from '../../../test/support/journal-batch.ts';
import { type PricedPool, PriceSetter } from './price-setter.ts';

function pooled(ledger: Pick<Ledger, 'journalReader'>): PricedPool {
  const clusters = async () =>
    (await ledger.journalReader.clusters()).filter((name) => name !== 'other');
  return { id: 'default', clusters, rule: DEFAULT_PRICE_RULE };
}

function setterOn(ledger: Ledger, prices = ledger.priceWriter): PriceSetter {
  const stores = { journal: ledger.journalReader, prices, priceFreezes: ledger.priceFreezes };
  return new PriceSetter(stores, pooled(ledger));
}

const record = (ledger: Ledger, facts: readonly LoadFact[]) =>
  ledger.journalWriter.record(journalBatch({ facts }), T0);

/** Load of a minute, some of it told only after the minute's price was thought about. */
function minuteOfLoad(minute: number): { readonly inTime: LoadFact[]; readonly late: LoadFact[] } {
  const facts = [0, 10, 20, 30, 40, 50].flatMap((second) => {
    const at = T0 + minute * MINUTE_MS + second * 1_000;
    const share = 0.5 + ((minute * 7 + second) % 90) / 90;
    const second2 = loadFact(at + 3_000, share / 2, { cluster: 'yarn-2' });
    return [loadFact(at, share), second2, loadFact(at, 3, { cluster: 'other' })];
  });
  const isLate = ({ cluster, at }: LoadFact) => cluster === 'yarn-2' && at % 7_000 < 3_000;
  return { inTime: facts.filter((one) => !isLate(one)), late: facts.filter(isLate) };
}

/** An hour of load, evaluated each minute, with a new setter in those minutes. */
async function anHour(isRestarted: (minute: number) => boolean) {
  await using ledger = await openLedger({ file: ':memory:' });
  let setter = setterOn(ledger);
  for (let minute = 0; minute < 60; minute += 1) {
    const { inTime, late } = minuteOfLoad(minute);
    await record(ledger, inTime);
    if (isRestarted(minute)) setter = setterOn(ledger);
    await setter.evaluate(T0 + (minute + 1) * MINUTE_MS + 500);
    await record(ledger, late);
  }
  return await outcome(ledger);
}

async function outcome({ priceWriter }: Ledger) {
  const epochs = await priceWriter.epochs('default', T0, T0 + 120 * MINUTE_MS);
  return { epochs, evaluation: await priceWriter.evaluation('default') };
}

/** A ledger's file whose lease on the price passes from one holder to another. */
async function leasedLedger() {
  const folder = mkdtempSync(join(tmpdir(), 'price-lease-'));
  const file = join(folder, 'ledger.db');
  const ledger = await openLedger({ file });
  const leases = await openSqliteLeaseStore({ file, clock: new FakeClock(T0) });
  let held: Lease | undefined;
  return {
    ledger,
    async takeOver(holder: string): Promise<Fence> {
      if (held !== undefined) await leases.release(held);
      held = must(await leases.acquire('price/default', holder, MINUTE_MS), 'a free lease');
      return held;
    },
    async [Symbol.asyncDispose]() {
      await leases[Symbol.asyncDispose]();
      await ledger[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

test('prices are the same to the bit however often the setter is started again', async () => {
  const steady = await anHour(() => false);
  assert.ok(steady.epochs.length >= 5, `${steady.epochs.length} epochs`);
  assert.deepEqual(await anHour(() => true), steady);
  const minutes = fc.uniqueArray(fc.nat(59), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(minutes, async (restarts) => {
      assert.deepEqual(await anHour((minute) => restarts.includes(minute)), steady);
    }),
    { numRuns: 8 },
  );
});

test('two writers that take over from each other at any minute come to the same prices', async () => {
  const steady = await anHour(() => false);
  const holders = fc.array(fc.boolean(), { minLength: 60, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(holders, async (holds) => {
      await using shared = await leasedLedger();
      const { ledger, takeOver } = shared;
      const setters = { a: setterOn(ledger), b: setterOn(ledger) };
      let fences = { a: await takeOver('a'), b: undefined as Fence | undefined };
      for (const [minute, isA] of holds.entries()) {
        const { inTime, late } = minuteOfLoad(minute);
        await record(ledger, inTime);
        const [own, other] = isA ? (['a', 'b'] as const) : (['b', 'a'] as const);
        if (holds[minute - 1] !== isA) fences = { ...fences, [own]: await takeOver(own) };
        const now = T0 + (minute + 1) * MINUTE_MS + 500;
        // Who slept past its lease wakes now and then, comes first, and writes nothing.
        if (fences[other] !== undefined && minute % 7 === 0) {
          const tooLate = setters[other].evaluate(now, fences[other]);
          await assert.rejects(tooLate, { code: 'FENCED' });
        }
        await setters[own].evaluate(now, fences[own]);
        await record(ledger, late);
      }
      assert.deepEqual(await outcome(ledger), steady);
    }),
    { numRuns: 5 },
  );
});

test('a freeze holds the price, says so, and load that was freed moves it again', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  const setter = setterOn(ledger);
  const freeze = { id: 'f1', pool: 'default', reason: 'migration', orderedBy: 'alice' };
  const minutes = async (from: number, until: number): Promise<number[]> => {
    const steps: number[] = [];
    for (let minute = from; minute < until; minute += 1) {
      const at = T0 + minute * MINUTE_MS;
      await record(
        ledger,
        [0, 20, 40].map((second) => loadFact(at + second * 1_000, 1)),
      );
      const epoch = await setter.evaluate(at + MINUTE_MS);
      if (epoch !== undefined) steps.push(epoch.step);
    }
    return steps;
  };
  assert.deepEqual(await minutes(0, 10), [1_000, 1_100]);
  await ledger.priceFreezes.order({ ...freeze, frozen: true, orderedAt: T0 });
  assert.deepEqual(await minutes(10, 40), []);
  const evaluation = await ledger.priceWriter.evaluation('default');
  assert.ok(evaluation !== undefined);
  assert.equal(priceInputs(evaluation)?.stays, 'frozen');
  await ledger.priceFreezes.order({ ...freeze, id: 'f2', frozen: false, orderedAt: T0 + 1 });
  // From where it stood, a step at a time.
  assert.deepEqual(await minutes(40, 51), [1_200, 1_300, 1_400]);
});

test('clusters of another pool do not move the price', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  const setter = setterOn(ledger);
  for (let minute = 0; minute < 20; minute += 1) {
    const at = T0 + minute * MINUTE_MS;
    await record(ledger, [loadFact(at, 2, { cluster: 'other' }), loadFact(at, 0.1)]);
    await setter.evaluate(at + MINUTE_MS);
  }
  const epochs = await ledger.priceWriter.epochs('default', T0, T0 + 60 * MINUTE_MS);
  assert.deepEqual(
    epochs.map(({ step }) => step),
    [1_000],
  );
});

test('a conclusion that fails is thought over again from what the book says', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  let failures = 1;
  const book = ledger.priceWriter;
  const setter = setterOn(ledger, {
    epochs: book.epochs.bind(book),
    evaluation: book.evaluation.bind(book),
    announce: book.announce.bind(book),
    conclude: async (...words) => {
      failures -= 1;
      if (failures === 0) throw new Error('no answer');
      await book.conclude(...words);
    },
  });
  await assert.rejects(setter.evaluate(T0), /no answer/);
  assert.equal((await setter.evaluate(T0 + 1))?.reason, 'first');
});

test('a book that an older rule wrote is gone on from at its last price', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  await ledger.priceWriter.announce(
    {
      id: 'old',
      pool: 'default',
      step: 1_300,
      start: T0 - 60 * MINUTE_MS,
      end: undefined,
      ruleVersion: 'load-1',
      reason: 'load',
      inputs: '{"state":{"load":7}}',
    },
    T0,
  );
  await record(ledger, [loadFact(T0 - 30_000, 0.2)]);
  const epoch = await setterOn(ledger).evaluate(T0);
  assert.deepEqual([epoch?.step, epoch?.reason], [1_200, 'load']);
});
