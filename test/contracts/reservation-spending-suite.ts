import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_LIMITS } from '../../shared/rating/evaluate-limits.ts';
import { DAY_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { T0 } from '../support/fact-builders.ts';
import {
  aCharge,
  aContainer,
  aHold,
  anApplication,
  aSettlement,
  ETL,
  ML,
} from '../support/ledger-builders.ts';
import { balanceAt, codesOf, give, type OpenReservations } from './open-reservations.ts';

const MINUTE = 60_000;
const LEASE_END = T0 + MINUTE;

/** What is charged under a reservation is taken from what it holds. */
const TAGGED = { 'tollgate.reservation': 'r1' };
const after = (tags: Record<string, string>, more: { start?: number } = {}) =>
  anApplication({ tags, start: T0 + 10, ...more });

/** What runs under a reservation counts against it, once. */
export function reservationSpendingSuite(
  engine: string,
  open: () => Promise<OpenReservations>,
): void {
  test(`${engine}: what is charged and accrued under a reservation counts against it, once`, async () => {
    await using store = await open();
    await give(store, 1_000n);
    await store.reservations.hold(aHold({ maxCost: 100n }), NO_LIMITS, T0);
    const parts = async (now = T0) => {
      const { charged, accrued, reserved } = await balanceAt(store, now);
      return [charged, accrued, reserved];
    };
    const settle = (accrued: bigint, amounts: readonly bigint[], cursor: number) =>
      store.ledgerWriter.settle(
        aSettlement({
          ...{ cursor, applications: [after(TAGGED)], containers: [aContainer({ accrued })] },
          charges: amounts.map((amount, n) => aCharge({ amount, revision: cursor * 10 + n })),
        }),
      );
    await settle(30n, [], 1);
    assert.deepEqual(await parts(), [0n, 30n, 70n]);
    await settle(0n, [50n], 2);
    assert.deepEqual(await parts(), [50n, 0n, 50n]);
    await settle(0n, [50n], 2);
    assert.deepEqual(await parts(), [50n, 0n, 50n], 'a repeat changes nothing');
    await settle(10n, [70n], 3);
    assert.deepEqual(await parts(), [120n, 10n, 0n], 'beyond it, only what is spent counts');
    await settle(0n, [-60n], 4);
    assert.deepEqual(await parts(), [60n, 0n, 40n], 'a retraction gives it back');
    const one = await store.reservations.reservation({ project: ETL, id: 'r1' }, T0);
    assert.deepEqual([one?.spent, one?.pending, one?.applications.length], [60n, 40n, 1]);
    assert.deepEqual(await parts(LEASE_END), [60n, 0n, 0n]);
    await store.reservations.post({ project: ETL, id: 'r1' }, T0 + 50);
    assert.deepEqual(await parts(), [60n, 0n, 0n]);
    await settle(0n, [5n], 5);
    assert.deepEqual(await parts(), [65n, 0n, 0n], 'what comes later is charged all the same');
  });

  test(`${engine}: cores of containers under a reservation are held once`, async () => {
    await using store = await open();
    await give(store, 1_000n);
    const limits = { ...NO_LIMITS, millicores: 10_000 };
    const hold = aHold({ resources: { ...aHold().resources, millicores: 4_000 } });
    await store.reservations.hold(hold, limits, T0);
    const cores = async (now = T0) => {
      const { millicores, reservedMillicores } = await balanceAt(store, now);
      return [millicores, reservedMillicores];
    };
    const run = (
      name: string,
      millicores: number,
      tags = {},
      state: 'running' | 'ended' = 'running',
    ) =>
      store.ledgerWriter.settle(
        aSettlement({
          applications: [after(tags), anApplication({ application: 'app-2', tags: {} })],
          containers: [
            aContainer({
              ...{ container: name, application: tags === TAGGED ? 'app-1' : 'app-2', state },
              resources: { millicores, memoryMib: 1, gpus: 0 },
            }),
          ],
        }),
      );
    await run('c1', 3_000, TAGGED);
    assert.deepEqual(await cores(), [3_000, 1_000]);
    await run('c2', 5_000);
    assert.deepEqual(await cores(), [8_000, 1_000]);
    const more = { ...hold, id: 'r2', resources: { ...hold.resources, millicores: 1_001 } };
    assert.deepEqual(codesOf(await store.reservations.hold(more, limits, T0)), ['cores-exceeded']);
    assert.deepEqual(await cores(LEASE_END), [8_000, 0], 'what still runs still counts');
    await run('c1', 3_000, TAGGED, 'ended');
    assert.deepEqual(await cores(), [5_000, 4_000]);
    await run('c2', 5_000, {}, 'ended');
    await store.reservations.void({ project: ETL, id: 'r1' }, T0);
    assert.deepEqual(await cores(), [0, 0]);
  });

  test(`${engine}: what ran before a hold isn't paid from it`, async () => {
    await using store = await open();
    await give(store, 1_000n);
    const old = anApplication({ tags: TAGGED, start: T0 - 100 });
    await store.ledgerWriter.settle(
      aSettlement({ applications: [old], charges: [aCharge({ amount: 500n })] }),
    );
    await store.reservations.hold(aHold({ maxCost: 100n }), NO_LIMITS, T0);
    await store.ledgerWriter.settle(
      aSettlement({
        ...{ cursor: 1, applications: [old] },
        charges: [aCharge({ amount: 20n, revision: 1 })],
      }),
    );
    const { charged, reserved } = await balanceAt(store, T0);
    assert.deepEqual([charged, reserved], [520n, 80n]);
  });

  test(`${engine}: what an application cost before it turned out to be the project's is paid from the hold`, async () => {
    await using store = await open();
    await give(store, 1_000n);
    await store.reservations.hold(aHold({ maxCost: 100n }), NO_LIMITS, T0);
    const early = { start: T0 - 100 };
    const nobodys = anApplication({ ...early, project: 'unattributed' as ProjectId });
    const accruing = aContainer({ accrued: 30n });
    await store.ledgerWriter.settle(
      aSettlement({ applications: [nobodys], containers: [accruing] }),
    );
    await store.ledgerWriter.settle(
      aSettlement({
        ...{ cursor: 1, applications: [anApplication({ ...early, tags: TAGGED })] },
        containers: [accruing],
      }),
    );
    const { accrued, reserved } = await balanceAt(store, T0);
    assert.deepEqual([accrued, reserved], [30n, 70n]);
  });

  test(`${engine}: an application is said to run under a reservation, before or after it is known`, async () => {
    await using store = await open();
    await give(store, 1_000n);
    const { reservations, ledgerWriter } = store;
    const ref = { project: ETL, id: 'r1' };
    const app = { cluster: 'yarn-1', application: 'app-1' };
    await reservations.hold(aHold({ maxCost: 100n }), NO_LIMITS, T0);
    assert.equal((await reservations.attach(ref, app, T0))?.outcome, 'done');
    assert.equal((await reservations.attach(ref, app, T0))?.outcome, 'repeated');
    const settle = (cursor: number, amount: bigint, project: ProjectId) =>
      ledgerWriter.settle(
        aSettlement({
          ...{ cursor, applications: [{ ...after({}), project }] },
          charges: [aCharge({ amount, project, revision: cursor })],
        }),
      );
    await settle(1, 30n, ETL);
    assert.equal((await balanceAt(store, T0)).reserved, 70n);
    await reservations.hold(aHold({ id: 'r2', maxCost: 50n }), NO_LIMITS, T0);
    await assert.rejects(reservations.attach({ ...ref, id: 'r2' }, app, T0), { code: 'CONFLICT' });
    await reservations.post(ref, T0 + 20);
    await reservations.attach({ ...ref, id: 'r2' }, app, T0 + 20);
    assert.equal((await balanceAt(store, T0)).reserved, 50n, 'the first one has paid what was');
    await settle(2, 5n, ETL);
    assert.equal((await balanceAt(store, T0)).reserved, 45n);
    // Another project's application spends nothing here, whatever was said of it.
    await settle(3, 5n, ML);
    assert.equal((await balanceAt(store, T0)).reserved, 50n);
    assert.equal((await balanceAt(store, T0, ML)).reserved, 0n);
  });

  test(`${engine}: readings are summed over their parts, as old as the oldest; the later one stands`, async () => {
    await using store = await open();
    await store.grants.register(ETL);
    const part = { project: ETL, kind: 'stored-bytes', part: 'a', used: 5n, asOf: T0 } as const;
    await store.usage.record([part, { ...part, part: 'b', used: 2n ** 70n, asOf: T0 + 9 }]);
    await store.usage.record([{ ...part, used: 6n, asOf: T0 - 1 }]);
    await store.usage.record([{ ...part, kind: 'log-bytes', used: 1n, asOf: T0 + DAY_MS }]);
    const readings = async () =>
      (await balanceAt(store, T0)).readings.toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
    assert.deepEqual(await readings(), [
      { kind: 'log-bytes', used: 1n, asOf: T0 + DAY_MS },
      { kind: 'stored-bytes', used: 2n ** 70n + 5n, asOf: T0 },
    ]);
    await store.usage.keepParts('stored-bytes', [{ project: ETL, part: 'b' }]);
    assert.deepEqual((await readings())[1], {
      ...{ kind: 'stored-bytes', used: 2n ** 70n, asOf: T0 + 9 },
    });
  });
}
