import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR_MS } from '../values/instant.ts';
import { addQuantity, chargeId, chargeRevision, NO_QUANTITY } from './charge.ts';

const line = fc.record({
  hour: fc.integer({ min: 0, max: 2_000_000 }).map((hours) => hours * HOUR_MS),
  digest: fc.constantFrom('aaaa', 'bbbb'),
  step: fc.constantFrom(950, 1_000, 1_150),
  revision: fc.nat(5_000),
});

test('ids of charges rise with their hour and are equal only for the same row', () => {
  fc.assert(
    fc.property(line, line, (a, b) => {
      if (a.hour < b.hour) assert.ok(chargeId(a) < chargeId(b));
      const same = (['hour', 'digest', 'step', 'revision'] as const).every((k) => a[k] === b[k]);
      assert.equal(chargeId(a) === chargeId(b), same);
    }),
  );
});

test('an id tells its revision', () => {
  fc.assert(fc.property(line, (a) => assert.equal(chargeRevision(chargeId(a)), a.revision)));
});

test('quantities add up by member', () => {
  const one = { containerMs: 1n, millicoreMs: 2n, mibMs: 3n, gpuMs: 4n };
  assert.deepEqual(addQuantity(one, NO_QUANTITY), one);
  assert.deepEqual(addQuantity(one, one).gpuMs, 8n);
});
