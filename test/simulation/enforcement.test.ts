import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeeds } from './run-seeds.ts';

/** As many as fit into the run of all tests; `npm run simulate` does thousands. */
const SEEDS = 100;
const FROM = Number(process.env['TOLLGATE_SEED'] ?? 1);

test(`${SEEDS} worlds from seed ${FROM} on: nothing is done that may not be, whatever happens`, async () => {
  const { actions = 0 } = await runSeeds({ world: 'enforcement', from: FROM, seeds: SEEDS });
  assert.ok(actions > SEEDS, `only ${actions} actions: the worlds say little`);
});
