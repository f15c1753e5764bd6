import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Level } from '../../../shared/grants/evaluate-levels.ts';
import { HeldLease } from '../../../shared/stores/held-lease.ts';
import { openSqliteLeaseStore } from '../../../shared/stores/sql/lease-store.ts';
import { openLedger } from '../../../shared/stores/sql/open-ledger.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { afterHours, G0, someTerms } from '../../../test/support/grant-builders.ts';
import { runMetering } from '../../../test/support/metering-run.ts';
import { GrantKeeper } from './grant-keeper.ts';

const projectOf = (n: number) => `p${`${n}`.padStart(3, '0')}` as ProjectId;

const ending = (n: number) => ({
  ...{ id: `g${n}`, project: projectOf(n), amount: 5n, reason: '', grantedAt: G0 },
  terms: someTerms({ expiresAt: afterHours(1) }),
});

const TEAM: Level = { key: 'team/a', monthlyLimit: 9n, borrowMax: 0n, projects: [projectOf(0)] };

test('one run keeps the grants of all projects that are due, however many, and the levels', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  await ledger.grants.grantAll(Array.from({ length: 45 }, (_, n) => ending(n)));
  const clock = new FakeClock(afterHours(1));
  const levels = { store: ledger.levels, levels: [TEAM] };
  const keeper = new GrantKeeper({ grants: ledger.grants, levels, clock, lease: undefined });
  await keeper.run();
  for (const n of [0, 19, 20, 44]) {
    const { entries } = await ledger.grants.book(projectOf(n));
    assert.deepEqual(
      entries.map(({ kind, amount }) => [kind, amount]),
      [['expiry', -5n]],
      `project ${n}`,
    );
  }
  assert.equal(await ledger.grants.keepDue(afterHours(1), 99), 0);
  assert.equal((await ledger.levels.uses(['team/a'])).get('team/a')?.left, 0n);
});

test('of two meters one keeps the grants; who has lost the lease writes nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'ledger.db');
  await using ledger = await openLedger({ file });
  const clock = new FakeClock(afterHours(1));
  await using store = await openSqliteLeaseStore({ file, clock });
  await ledger.grants.grant(ending(1));
  const keeperOf = (holder: string) => {
    const lease = new HeldLease({ ...{ store, name: 'grants', holder }, ttlMs: 15_000, clock });
    return new GrantKeeper({ grants: ledger.grants, levels: undefined, clock, lease });
  };
  const [first, second] = [keeperOf('a'), keeperOf('b')];
  await first.run();
  await clock.advance(15_001);
  // The first slept past its lease, which the second has by now.
  await second.run();
  const stale = { name: 'grants', token: 0n };
  await ledger.grants.grant({ ...ending(1), id: 'again' });
  await assert.rejects(ledger.grants.keepDue(afterHours(24 * 40), 9, stale), { code: 'FENCED' });
  const { entries } = await ledger.grants.book(projectOf(1));
  assert.deepEqual(
    entries.map(({ piece, amount }) => [piece, amount]),
    [
      ['again', -5n],
      ['g1', -5n],
    ],
  );
});

test('the meter writes an expiry and a new month in their time, without anybody using anything', async () => {
  const start = Date.UTC(2026, 10, 30, 23, 59);
  const terms = { validFrom: '2026-11-01T00:00:00Z', monthly: { maxRollover: '2' } };
  await using run = await runMetering(start, {
    projects: [{ id: 'etl', grants: [{ id: 'b', credits: '5', terms }] }],
    hierarchy: [{ id: 'acme', teams: [{ id: 'data', projects: ['etl'] }] }],
  });
  await run.clock.advance(120_000);
  const { entries } = await run.ledger.grants.book('etl' as ProjectId);
  assert.deepEqual(
    entries.map(({ kind, piece, amount }) => [kind, piece, amount]),
    [
      ['expiry', 'b/2026-11', -5_000_000_000n],
      ['month', 'b/2026-11', 5_000_000_000n],
      ['month', 'b/2026-12', 5_000_000_000n],
      ['rollover', 'b/2026-12', 2_000_000_000n],
    ],
  );
  const balance = await run.ledger.ledgerReader.balance('etl' as ProjectId);
  assert.equal(balance?.granted, 7_000_000_000n);
});
