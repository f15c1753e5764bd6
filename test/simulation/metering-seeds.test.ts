import { test } from 'node:test';
import { simulateSeed } from './world/simulate-seed.ts';

/** As many as fit into the run of all tests; `npm run simulate` does thousands. */
const SEEDS = 200;
const FROM = Number(process.env['TOLLGATE_SEED'] ?? 1);

test(`${SEEDS} worlds from seed ${FROM} on are charged what they cost, whatever happens`, async () => {
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    try {
      await simulateSeed(seed);
    } catch (error) {
      throw new Error(`seed ${seed} (npm run simulate -- --seed ${seed})`, { cause: error });
    }
  }
});
