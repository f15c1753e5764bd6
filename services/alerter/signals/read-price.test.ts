import assert from 'node:assert/strict';
import { test } from 'node:test';
import { T0 } from '../../../test/support/fact-builders.ts';
import { openSignalBench, valuesBy } from '../../../test/support/signal-bench.ts';

const epoch = (step: number, start: number) => ({
  ...{ id: `cpu/${start}`, pool: 'cpu', step, start, end: undefined },
  ...{ ruleVersion: 'load-1', reason: 'load', inputs: '{}' },
});

test('a price is the one in force at the moment asked for', async () => {
  await using bench = await openSignalBench(T0);
  await bench.ledger.priceWriter.announce(epoch(1_500, T0 + 1_000), T0);
  await bench.ledger.priceWriter.announce(epoch(2_000, T0 + 5_000), T0);
  const at = async (ms: number) =>
    valuesBy(await bench.samples({ kind: 'price' }, T0 + ms), 'pool');
  assert.deepEqual(await at(0), { cpu: 1 });
  assert.deepEqual(await at(1_000), { cpu: 1.5 });
  assert.deepEqual(await at(9_000), { cpu: 2 });
  const [sample] = await bench.samples({ kind: 'price' }, T0 + 1_000);
  assert.equal(sample?.annotations['price'], '1.50 X');
  assert.equal(sample?.target.kind, 'pool');
});

test('a pool that nobody configured fails the reading', async () => {
  await using bench = await openSignalBench(T0);
  const reading = await bench.read({ kind: 'price', pools: ['cpu', 'tpu'] });
  assert.ok(reading.outcome === 'failed');
  assert.match(reading.why, /not configured: tpu; correct "pools"/);
});
