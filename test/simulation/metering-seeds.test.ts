import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulateSeed } from './world/simulate-seed.ts';

/** As many as fit into the run of all tests; `npm run simulate` does thousands. */
const SEEDS = 200;
const FROM = Number(process.env['TOLLGATE_SEED'] ?? 1);

test(`${SEEDS} worlds from seed ${FROM} on are charged what they cost, whatever happens`, async (t) => {
  const total = new Map<string, number>();
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    try {
      for (const [what, count] of Object.entries(await simulateSeed(seed))) {
        total.set(what, (total.get(what) ?? 0) + count);
      }
    } catch (error) {
      throw new Error(`seed ${seed} (npm run simulate -- --seed ${seed})`, { cause: error });
    }
  }
  t.diagnostic([...total].map(([what, count]) => `${count} ${what}`).join(', '));
  for (const [what, count] of total) assert.ok(count > SEEDS / 10, `only ${count} ${what}`);
});
