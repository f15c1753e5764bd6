import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulateEnforcement } from './world/simulate-enforcement.ts';

/** As many as fit into the run of all tests; `npm run simulate` does thousands. */
const SEEDS = 100;
const FROM = Number(process.env['TOLLGATE_SEED'] ?? 1);

test(`${SEEDS} worlds from seed ${FROM} on: nothing is done that may not be, whatever happens`, async () => {
  let done = 0;
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    try {
      done += await simulateEnforcement(seed);
    } catch (error) {
      const again = `npm run simulate -- --world enforcement --seed ${seed}`;
      throw new Error(`seed ${seed} (${again})`, { cause: error });
    }
  }
  assert.ok(done > SEEDS, `only ${done} actions: the worlds say little`);
});
