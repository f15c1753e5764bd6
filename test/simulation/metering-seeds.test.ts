import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeeds } from './run-seeds.ts';

/** As many as fit into the run of all tests; `npm run simulate` does thousands. */
const SEEDS = 200;
const FROM = Number(process.env['TOLLGATE_SEED'] ?? 1);

test(`${SEEDS} worlds from seed ${FROM} on are charged what they cost, whatever happens`, async (t) => {
  const total = Object.entries(await runSeeds({ world: 'metering', from: FROM, seeds: SEEDS }));
  t.diagnostic(total.map(([what, count]) => `${count} ${what}`).join(', '));
  for (const [what, count] of total) assert.ok(count > SEEDS / 10, `only ${count} ${what}`);
});
