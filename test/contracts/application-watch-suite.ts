import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_LIMITS } from '../../shared/rating/evaluate-limits.ts';
import type { ApplicationWatch } from '../../shared/stores/application-watch.ts';
import type { GrantStore } from '../../shared/stores/grant-store.ts';
import { applicationKey } from '../../shared/stores/journal.ts';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import { RESERVATION_TAG, type ReservationStore } from '../../shared/stores/reservation-store.ts';
import { T0 } from '../support/fact-builders.ts';
import { aContainer, aHold, anApplication, aSettlement, ML } from '../support/ledger-builders.ts';

interface OpenWatch extends AsyncDisposable {
  readonly ledgerWriter: LedgerWriter;
  readonly reservations: ReservationStore;
  readonly grants: GrantStore;
  readonly applicationWatch: ApplicationWatch;
}

const MINUTE = 60_000;

/** Four applications: two run, one ended at T0 + 10 min, one nobody told the end of. */
async function four({ ledgerWriter }: OpenWatch): Promise<void> {
  const ended = { state: 'ended' as const, end: T0 + 10 * MINUTE, nextAt: undefined };
  await ledgerWriter.settle(
    aSettlement({
      asOf: T0 + 20 * MINUTE,
      applications: [
        anApplication({ application: 'young', start: T0 + 5 * MINUTE, project: ML }),
        anApplication({ application: 'old' }),
        anApplication({ application: 'over', ended: T0 + 10 * MINUTE }),
        anApplication({ application: 'lost' }),
      ],
      containers: [
        aContainer({ application: 'young', container: 'y1', start: T0 + 5 * MINUTE }),
        aContainer({ application: 'old', container: 'o1', start: T0 + 1 }),
        aContainer({ application: 'old', container: 'o2', ...ended, outcome: 'preempted' }),
        aContainer({ application: 'over', container: 'v1', ...ended }),
        aContainer({ application: 'lost', container: 'l1', ...ended, coverage: 'inferred' }),
      ],
    }),
  );
}

/** What every store tells those who watch all projects. */
export function applicationWatchSuite(engine: string, open: () => Promise<OpenWatch>): void {
  const namesOf = (found: readonly { application: string }[]) =>
    found.map(({ application }) => application);

  test(`${engine}: running applications of all projects are found as of a moment`, async () => {
    await using store = await open();
    await four(store);
    const { applicationWatch } = store;
    const at = async (minutes: number, limit = 9) =>
      namesOf(await applicationWatch.runningAt(T0 + minutes * MINUTE, limit)).toSorted();
    assert.deepEqual(await at(20), ['old', 'young']);
    assert.deepEqual(await at(7), ['old', 'over', 'young']);
    assert.deepEqual(await at(1), ['old', 'over']);
    assert.deepEqual(await at(-1), []);
    assert.equal((await at(7, 2)).length, 2);
    const [old, young] = await applicationWatch.runningAt(T0 + 20 * MINUTE, 9);
    assert.deepEqual([old?.application, old?.perHour, old?.accrued], ['old', 1_200n, 140n]);
    assert.deepEqual([young?.project, young?.end, young?.state], [ML, undefined, 'running']);
  });

  test(`${engine}: applications that were told to end are found by when`, async () => {
    await using store = await open();
    await four(store);
    const ended = async (from: number, until: number) =>
      namesOf(
        await store.applicationWatch.ended(
          { from: T0 + from * MINUTE, until: T0 + until * MINUTE },
          9,
        ),
      );
    assert.deepEqual(await ended(10, 11), ['over']);
    assert.deepEqual(await ended(0, 10), []);
    assert.deepEqual(await ended(11, 99), []);
  });

  test(`${engine}: containers are those that run and those that ended since`, async () => {
    await using store = await open();
    await four(store);
    const refs = ['old', 'over'].map((application) => ({ cluster: 'yarn-1', application }));
    const since = async (minutes: number) =>
      (await store.applicationWatch.containers(refs, T0 + minutes * MINUTE, 9))
        .map(({ container }) => container)
        .toSorted();
    assert.deepEqual(await since(10), ['o1', 'o2', 'v1']);
    assert.deepEqual(await since(11), ['o1']);
    const elsewhere = [{ cluster: 'other', application: 'old' }];
    assert.deepEqual(await store.applicationWatch.containers(elsewhere, 0, 9), []);
    const lost = await store.applicationWatch.containers(refs, T0, 9);
    assert.equal(lost.find(({ container }) => container === 'o2')?.outcome, 'preempted');
    assert.equal((await store.applicationWatch.containers(refs, T0, 2)).length, 2);
  });

  test(`${engine}: what is settled up to, and nothing before the first settlement`, async () => {
    await using store = await open();
    assert.equal(await store.applicationWatch.settledUntil(), undefined);
    await four(store);
    const shards = await store.ledgerWriter.shards();
    for (let shard = 1; shard < shards; shard += 1) {
      await store.ledgerWriter.settle(aSettlement({ shard, asOf: T0 + (20 - shard) * MINUTE }));
    }
    const behind = shards - 1;
    assert.equal(await store.applicationWatch.settledUntil(), T0 + (20 - behind) * MINUTE);
  });

  test(`${engine}: applications under a reservation are told`, async () => {
    await using store = await open();
    const { reservations, applicationWatch, grants, ledgerWriter } = store;
    await grants.grant({
      ...{ id: 'g', project: aHold().project, amount: 1_000_000n },
      ...{ reason: 'r', grantedAt: T0 },
    });
    await reservations.hold(aHold(), NO_LIMITS, T0);
    const tags = { [RESERVATION_TAG]: 'r1' };
    await ledgerWriter.settle(
      aSettlement({
        applications: [
          anApplication({ application: 'with', tags }),
          anApplication({ application: 'without' }),
        ],
        containers: [
          aContainer({ application: 'with', container: 'a' }),
          aContainer({ application: 'without', container: 'b' }),
        ],
      }),
    );
    const refs = ['with', 'without'].map((application) => ({ cluster: 'yarn-1', application }));
    assert.deepEqual(
      [...(await applicationWatch.reserved(refs))],
      [applicationKey({ cluster: 'yarn-1', application: 'with' })],
    );
  });
}
