import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  borrowedNow,
  borrowingLine,
  evaluateLevels,
  type Level,
  type LevelState,
} from './evaluate-levels.ts';
import { hierarchyConfig, levelsOf } from './hierarchy-config.ts';

const NOW = Date.UTC(2026, 10, 21, 9);
const MONTH = Date.UTC(2026, 10, 1);
const seed = Number(process.env['FC_SEED'] ?? Date.now() % 1_000_000);

function aLevel(key: string, limit?: bigint, borrowMax = 0n): Level {
  return { key, monthlyLimit: limit, borrowMax, projects: ['etl', 'ml'] };
}

const state = (level: Level, used: bigint, left = 0n, month = MONTH): LevelState => ({
  level,
  use: { month, used, left, asOf: NOW },
});

const ask = (states: LevelState[], estimate?: bigint, limited = true) =>
  evaluateLevels(states, { estimate, limited, now: NOW });

test('a project may start only when every level above has room, and the lowest that has none is told', () => {
  const team = state(aLevel('team/data', 100n), 60n);
  const organisation = state(aLevel('organisation/acme', 200n), 170n);
  assert.equal(ask([team, organisation], 30n), undefined);
  assert.deepEqual(ask([team, organisation], 31n)?.key, 'organisation/acme');
  assert.equal(ask([team, organisation], 41n)?.key, 'team/data');
  assert.equal(ask([team, organisation], 41n)?.reason, 'estimate-exceeds-level');
  const full = state(aLevel('organisation/acme', 200n), 200n);
  assert.deepEqual(ask([team, full])?.reason, 'level-exhausted');
  assert.equal(ask([team, full], undefined, false)?.key, 'organisation/acme');
  assert.equal(ask([state(aLevel('team/data'), 9_999n)], 9_999n), undefined);
  assert.equal(ask([{ level: aLevel('team/data', 5n), use: undefined }], 5n), undefined);
});

test('a new month is empty from its first instant, summed or not', () => {
  const october = state(aLevel('team/data', 100n), 100n, 0n, Date.UTC(2026, 9, 1));
  assert.equal(ask([october], 100n), undefined);
  assert.equal(ask([october], 101n)?.key, 'team/data');
});

test('borrowing is off by default; where it is on, it is bounded by the switch and by the siblings', () => {
  const off = [state(aLevel('team/data', 100n), 0n, 50n)];
  assert.equal(borrowingLine(off, -3n), 0n);
  assert.equal(borrowedNow(off, -3n), 0n);
  const on = (left: bigint) => [state(aLevel('team/data', undefined, 10n), 0n, left)];
  assert.equal(borrowingLine(on(50n), -3n), 10n);
  assert.equal(borrowingLine(on(2n), -3n), 5n);
  assert.equal(borrowingLine(on(-3n), -3n), 0n);
  assert.equal(borrowedNow(on(50n), -3n), 3n);
  assert.equal(borrowedNow(on(50n), 3n), 0n);
  // Who lent can't spend what is lent.
  assert.equal(ask(on(2n), 3n)?.key, 'team/data');
  assert.equal(ask(on(0n))?.reason, 'level-exhausted');
});

test('in a team that lends, no order of jobs spends more than all its projects had', (t) => {
  t.diagnostic(`seed ${seed}`);
  const jobs = fc.array(fc.tuple(fc.nat(3), fc.bigInt({ min: 1n, max: 20n })), { maxLength: 60 });
  const given = fc.array(fc.bigInt({ min: 0n, max: 40n }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(given, fc.bigInt({ min: 1n, max: 15n }), jobs, (grants, borrowMax, all) => {
      const balances = [...grants];
      const sum = () => balances.reduce((total, one) => total + one, 0n);
      for (const [n, cost] of all) {
        const states = [state(aLevel('team/data', undefined, borrowMax), 0n, sum())];
        const own = balances[n] ?? 0n;
        const room = own + borrowingLine(states, own);
        const allowed = room > 0n && cost <= room && ask(states, cost) === undefined;
        if (allowed) balances[n] = own - cost;
      }
      assert.ok(sum() >= 0n, 'the team is never overdrawn');
      assert.ok(balances.every((one) => one >= -borrowMax));
    }),
    { seed, numRuns: 300 },
  );
});

test('the hierarchy is read into levels; what stands twice is named', () => {
  const one = { id: 'data', monthlyLimit: '50', borrowMax: '5', projects: ['ETL', 'ml'] };
  const { levels, above } = levelsOf(
    hierarchyConfig.parse([
      { id: 'acme', monthlyLimit: '99.5', teams: [one, { id: 'x', projects: [] }] },
    ]),
  );
  assert.deepEqual(
    levels.map(({ key, monthlyLimit }) => [key, monthlyLimit]),
    [
      ['team/data', 50_000_000_000n],
      ['team/x', undefined],
      ['organisation/acme', 99_500_000_000n],
    ],
  );
  assert.deepEqual(
    above('etl').map(({ key, borrowMax }) => [key, borrowMax]),
    [
      ['team/data', 5_000_000_000n],
      ['organisation/acme', 0n],
    ],
  );
  assert.deepEqual(above('other'), []);
  const twice = [
    { id: 'acme', teams: [one, { ...one, projects: ['etl'] }] },
    { id: 'acme', monthlyLimit: '-1' },
  ];
  const { error } = hierarchyConfig.safeParse(twice);
  assert.match(error?.message ?? '', /must be credits of 0 or more/);
  const { error: named } = hierarchyConfig.safeParse([twice[0], { id: 'acme' }]);
  for (const what of [/organisation acme stands/, /team data stands/, /project etl stands/]) {
    assert.match(named?.message ?? '', what);
  }
});
