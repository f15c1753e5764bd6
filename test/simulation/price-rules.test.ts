import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_PRICE_RULE, type PriceRule } from '../../shared/price/price-rule.ts';
import { priceRuleProblems } from '../../shared/price/price-rule-problems.ts';
import { loadFact, T0 } from '../support/fact-builders.ts';
import { HopsPrice, LadderPrice } from '../support/price-rivals.ts';
import { demandTrace, replayLoad, tryPrice } from '../support/price-trial.ts';

const SEED = 20_261_121;
const TICK_MS = 10_000;

test('on one trace the ladder moves far less often than Hops’ rule, and lets more work run', () => {
  const trace = demandTrace(SEED);
  const ladder = tryPrice(new LadderPrice('ladder', DEFAULT_PRICE_RULE), trace);
  const hops = tryPrice(new HopsPrice(1), trace);
  const told = JSON.stringify({ seed: SEED, ladder, hops });
  assert.ok(hops.changesPerHour > 15 * ladder.changesPerHour, told);
  assert.ok(hops.reversalsPerHour > 30 * ladder.reversalsPerHour, told);
  assert.ok(ladder.worstMove <= 1.2 && hops.worstMove > ladder.worstMove, told);
  assert.ok(ladder.meanPrice < hops.meanPrice && ladder.meanLoad > hops.meanLoad, told);
  const flat = tryPrice(new LadderPrice('flat', { ...DEFAULT_PRICE_RULE, slope: 0 }), trace);
  assert.ok(flat.overCapacity > 10 * ladder.overCapacity, `${told} ${JSON.stringify(flat)}`);
});

test('a trace is the same for the same seed, and its prices too', () => {
  const run = (seed: number) =>
    tryPrice(new LadderPrice('ladder', DEFAULT_PRICE_RULE), demandTrace(seed, 6));
  assert.deepEqual(run(SEED), run(SEED));
  assert.notDeepEqual(run(SEED), run(SEED + 1));
});

test('recorded load is replayed as it was', () => {
  const facts = Array.from({ length: 720 }, (_, i) => loadFact(T0 + i * TICK_MS, 0.7));
  const hops = replayLoad(new HopsPrice(2), facts);
  assert.deepEqual([hops.meanPrice.toFixed(2), hops.changesPerHour], ['2.00', 0]);
  const ladder = replayLoad(new LadderPrice('ladder', DEFAULT_PRICE_RULE), facts);
  assert.equal(ladder.maxPrice, 1.5);
  assert.equal(ladder.reversalsPerHour, 0);
});

/**
 * How far the price goes up and down for ever where as much is always asked for at a price: jobs of
 * a mean length come and go, as many as the price of a minute ago brings.
 */
function swing(rule: PriceRule, jobSeconds: number, offered: number): number {
  const ladder = new LadderPrice('', rule);
  const prices: number[] = [];
  let cores = 60;
  for (let tick = 0; tick < 8 * 360; tick += 1) {
    const seen = prices[tick - 6] ?? 1;
    cores += (offered * 100 * seen ** -1.2 - cores) * (1 - Math.exp(-10 / jobSeconds));
    const waiting = Math.max(0, cores - 100);
    const pending = { millicores: Math.round(waiting * 1_000), memoryMib: 0, gpus: 0 };
    const load = loadFact(T0 + tick * TICK_MS, Math.min(1, cores / 100), { pending });
    prices.push(ladder.price(load));
  }
  const settled = prices.slice(4 * 360);
  return Math.max(...settled) - Math.min(...settled);
}

test('rules that may be used swing little or not at all under steady demand, refused ones widely', () => {
  const widest = (over: Partial<PriceRule>): number => {
    const rule = { ...DEFAULT_PRICE_RULE, ...over };
    return Math.max(...[60, 300, 900].map((seconds) => swing(rule, seconds, 1.1)));
  };
  const isRefused = (over: Partial<PriceRule>): boolean =>
    priceRuleProblems({ ...DEFAULT_PRICE_RULE, ...over }).length > 0;
  // A gain below one: even the fastest price comes to rest on a rung or beside it.
  const gentle = { slope: 0.5, moveMax: 500, holdMs: 60_000 };
  assert.ok(!isRefused(gentle));
  assert.ok(widest(gentle) <= 0.0501, `${widest(gentle)}`);
  assert.ok(widest({}) <= 0.2501, `${widest({})}`);
  for (const usable of [{ slope: 4 }, { knee: 0.8 }, { moveMax: 150 }]) {
    assert.ok(!isRefused(usable), JSON.stringify(usable));
    assert.ok(widest(usable) <= 0.5001, `${JSON.stringify(usable)} ${widest(usable)}`);
  }
  for (const wild of [{ moveMax: 500 }, { moveMax: 500, holdMs: 60_000 }]) {
    assert.ok(isRefused(wild), JSON.stringify(wild));
    assert.ok(widest(wild) >= 0.9999, `${JSON.stringify(wild)} ${widest(wild)}`);
  }
});
