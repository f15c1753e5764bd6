import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerKey } from '../../shared/stores/journal.ts';
import type { LedgerReader } from '../../shared/stores/ledger-reader.ts';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import { shardOf } from '../../shared/stores/shard-of.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { applicationFact, containerFact, SMALL, T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  ETL,
  LARGE,
  ML,
} from '../support/ledger-builders.ts';
import type { OpenJournal } from './journal-suite.ts';

interface OpenLedger extends OpenJournal {
  readonly ledgerWriter: LedgerWriter;
  readonly ledgerReader: LedgerReader;
}

const C1 = { cluster: 'yarn-1', container: 'c1' };
const DAY = { from: T0 - 24 * HOUR_MS, until: T0 + 24 * HOUR_MS };

/** Settles nothing in every other shard, since a balance is as old as the one that is behind most. */
async function bringUp(writer: LedgerWriter, asOf: number): Promise<void> {
  for (let shard = 1; shard < (await writer.shards()); shard += 1) {
    await writer.settle(aSettlement({ shard, asOf }));
  }
}

/** What every ledger does with a settlement, whatever it is stored in. */
export function ledgerWriterSuite(engine: string, open: () => Promise<OpenLedger>): void {
  test(`${engine}: a settlement shows in charges, application and balance together`, async () => {
    await using store = await open();
    await store.ledgerWriter.settle(
      aSettlement({
        charges: [aCharge()],
        containers: [aContainer()],
        applications: [anApplication()],
        cursor: 7,
      }),
    );
    assert.equal(await store.ledgerWriter.cursor(0), 7);
    await bringUp(store.ledgerWriter, T0 + 200);
    assert.deepEqual(await store.ledgerReader.charges(ETL, DAY, { limit: 9 }), [aCharge()]);
    assert.deepEqual(await store.ledgerReader.balance(ETL), {
      project: ETL,
      granted: 0n,
      charged: LARGE,
      inferred: 0n,
      accrued: 70n,
      reserved: 0n,
      millicores: SMALL.millicores,
      reservedMillicores: 0,
      perHour: 600n,
      readings: [],
      asOf: T0 + 200,
      unlimited: true,
    });
    const { ended: _, ...facts } = anApplication();
    const [cost] = (await store.ledgerReader.applications(ETL, { limit: 9 })).applications;
    assert.deepEqual(cost, {
      ...facts,
      state: 'running',
      end: undefined,
      containersRunning: 1,
      containersTotal: 1,
      ...SMALL,
      coverage: 'running',
      charged: LARGE,
      inferred: 0n,
      accrued: 70n,
      perHour: 600n,
      activity: undefined,
    });
  });

  test(`${engine}: a settlement repeated changes nothing, an older one is a conflict`, async () => {
    await using store = await open();
    const whole = aSettlement({
      charges: [aCharge()],
      containers: [aContainer()],
      applications: [anApplication()],
      cursor: 7,
    });
    await store.ledgerWriter.settle(whole);
    const before = await store.ledgerReader.applications(ETL, { limit: 9 });
    const balance = await store.ledgerReader.balance(ETL);
    await store.ledgerWriter.settle(whole);
    assert.deepEqual(await store.ledgerReader.applications(ETL, { limit: 9 }), before);
    assert.deepEqual(await store.ledgerReader.balance(ETL), balance);
    await assert.rejects(store.ledgerWriter.settle({ ...whole, cursor: 6 }), { code: 'CONFLICT' });
  });

  test(`${engine}: a charge settled meanwhile with another body is a conflict`, async () => {
    await using store = await open();
    const settlement = aSettlement({ charges: [aCharge()], applications: [anApplication()] });
    await store.ledgerWriter.settle(settlement);
    const balance = await store.ledgerReader.balance(ETL);
    const later = aCharge({ storedAt: T0 + 9 });
    await store.ledgerWriter.settle({ ...settlement, charges: [later], cursor: 4 });
    const fresh = aCharge({ digest: 'd2' });
    const other = aCharge({ amount: LARGE + 1n });
    const stale = { ...settlement, charges: [fresh, other], cursor: 5 };
    await assert.rejects(store.ledgerWriter.settle(stale), { code: 'CONFLICT' });
    assert.equal(await store.ledgerWriter.cursor(0), 4);
    assert.deepEqual(await store.ledgerReader.balance(ETL), balance);
  });

  test(`${engine}: what was read of an application that is restated since is a conflict`, async () => {
    await using store = await open();
    const { ledgerWriter } = store;
    const ref = { cluster: 'yarn-1', application: 'app-1' };
    const after = (restated: number | undefined) =>
      aSettlement({ applications: [anApplication()], read: [{ ...ref, restated }] });
    await assert.rejects(ledgerWriter.settle(after(0)), { code: 'CONFLICT' });
    await ledgerWriter.settle(after(undefined));
    await assert.rejects(ledgerWriter.settle(after(undefined)), { code: 'CONFLICT' });
    const restate = [{ ...ref, containers: 'unsure' }] as const;
    await ledgerWriter.settle({ ...after(0), restate });
    await assert.rejects(ledgerWriter.settle(after(0)), { code: 'CONFLICT' });
    await ledgerWriter.settle(after(1));
    assert.equal((await ledgerWriter.applications([ref])).values().next().value?.restated, 1);
  });

  test(`${engine}: each fact lies in one shard, all of a container's in that of its first`, async () => {
    await using store = await open();
    const shards = await store.ledgerWriter.shards();
    const ref = (n: number) => ({ container: `c${n % 20}`, application: `app-${n}` });
    const facts = Array.from({ length: 60 }, (_, n) =>
      n % 3 === 0
        ? applicationFact('application-seen', T0 + n, { application: `app-${n}` })
        : containerFact('container-started', T0 + n, ref(n)),
    );
    for (const some of [facts.slice(0, 25), facts.slice(25)]) {
      await store.journalWriter.record(journalBatch({ facts: some }), T0);
    }
    const homes = new Map<string, number>();
    let stored = 0;
    for (let shard = 0; shard < shards; shard += 1) {
      const lying = await store.journalReader.factsAfter(0, 99, shard);
      stored += lying.length;
      for (const { fact } of lying) {
        if (!('container' in fact)) continue;
        assert.equal(homes.get(fact.container) ?? shard, shard);
        homes.set(fact.container, shard);
      }
    }
    assert.equal(stored, facts.length);
    for (const fact of facts.toReversed()) {
      if (!('container' in fact)) continue;
      const first = facts.find((one) => 'container' in one && one.container === fact.container);
      assert.equal(homes.get(fact.container), shardOf(first as typeof fact, shards));
    }
  });

  test(`${engine}: a settlement that fails leaves no trace`, async () => {
    await using store = await open();
    // A container whose application is nowhere is a bug of the caller.
    const broken = aSettlement({ charges: [aCharge()], containers: [aContainer()], cursor: 9 });
    await assert.rejects(store.ledgerWriter.settle(broken), /application/);
    assert.equal(await store.ledgerWriter.cursor(0), 0);
    assert.equal(await store.ledgerReader.balance(ETL), undefined);
    assert.deepEqual(await store.ledgerReader.charges(ETL, DAY, { limit: 9 }), []);
  });

  test(`${engine}: the last row of an hour and step is in force, a retraction included`, async () => {
    await using store = await open();
    const charges = [
      aCharge({ amount: 10n }),
      aCharge({ amount: -10n, type: 'RETRACTION', revision: 1 }),
      aCharge({ amount: 12n, type: 'RESTATEMENT', revision: 2 }),
      aCharge({ amount: 5n, step: 1_050 }),
      aCharge({ amount: -5n, step: 1_050, type: 'RETRACTION', revision: 1 }),
      aCharge({ amount: 3n, hour: T0 - HOUR_MS }),
    ];
    await store.ledgerWriter.settle(aSettlement({ charges, applications: [anApplication()] }));
    const nets = await store.ledgerWriter.inForce([C1, { ...C1, container: 'none' }], T0);
    assert.equal(nets.size, 1);
    assert.deepEqual(
      nets
        .get(containerKey(C1))
        ?.map((net) => [net.charge.step, net.charge.type, net.charge.amount, net.revision])
        .sort(),
      [
        [1_000, 'RESTATEMENT', 12n, 3],
        [1_050, 'RETRACTION', -5n, 2],
      ],
    );
    assert.equal((await store.ledgerReader.balance(ETL))?.charged, 15n);
    assert.equal((await store.ledgerReader.application(ETL, 'yarn-1', 'app-1'))?.charged, 15n);
  });

  test(`${engine}: containers are due when their time has come, the longest due first`, async () => {
    await using store = await open();
    const containers = [
      aContainer({ container: 'later', nextAt: T0 + 20 }),
      aContainer({ container: 'sooner', nextAt: T0 + 10, chargedUntil: T0 - HOUR_MS }),
      aContainer({ container: 'over', state: 'ended', coverage: 'exact', nextAt: undefined }),
    ];
    await store.ledgerWriter.settle(aSettlement({ containers, applications: [anApplication()] }));
    const names = async (now: number, limit = 9) =>
      (await store.ledgerWriter.due(now, limit, 0)).map(({ container }) => container);
    assert.deepEqual(await names(T0 + 9), []);
    assert.deepEqual(await names(T0 + 10), ['sooner']);
    assert.deepEqual(await names(T0 + 20), ['sooner', 'later']);
    assert.deepEqual(await names(T0 + 20, 1), ['sooner']);
    assert.equal((await store.ledgerWriter.due(T0 + 10, 1, 0))[0]?.chargedUntil, T0 - HOUR_MS);
    const restate = (what: 'all' | 'unsure') =>
      store.ledgerWriter.settle(
        aSettlement({ restate: [{ cluster: 'yarn-1', application: 'app-1', containers: what }] }),
      );
    await restate('unsure');
    assert.deepEqual(await names(1), ['later', 'sooner']);
    await restate('all');
    assert.deepEqual(await names(1), ['later', 'over', 'sooner']);
    assert.equal((await store.ledgerWriter.due(1, 1, 0))[0]?.chargedUntil, undefined);
  });

  test(`${engine}: evidence makes a container due whose end was inferred without it`, async () => {
    await using store = await open();
    const seen = (until: number) =>
      store.journalWriter.record(journalBatch({ evidence: [{ ...C1, until }] }), T0);
    const inferred = { coverage: 'inferred', state: 'ended', nextAt: undefined } as const;
    const closed = aContainer({ ...inferred, witnessedUntil: T0 + 100 });
    const settlement = aSettlement({ containers: [closed], applications: [anApplication()] });
    // Stored after the settlement had read the journal, and before it was written.
    await seen(T0 + 101);
    await store.ledgerWriter.settle(settlement);
    assert.equal((await store.ledgerWriter.due(T0, 9, 0)).length, 1);
    const informed = aContainer({ ...inferred, witnessedUntil: T0 + 101 });
    await store.ledgerWriter.settle({ ...settlement, containers: [informed] });
    assert.deepEqual(await store.ledgerWriter.due(T0, 9, 0), []);
    await seen(T0 + 101);
    assert.deepEqual(await store.ledgerWriter.due(T0, 9, 0), [], 'known evidence is no news');
    await seen(T0 + 102);
    assert.deepEqual(await store.ledgerWriter.due(T0, 9, 0), [{ ...C1, chargedUntil: undefined }]);
  });

  test(`${engine}: an application that changes its project takes its accrual along`, async () => {
    await using store = await open();
    await store.ledgerWriter.settle(
      aSettlement({ containers: [aContainer()], applications: [anApplication()] }),
    );
    const moved = anApplication({ project: ML });
    await store.ledgerWriter.settle(aSettlement({ applications: [moved] }));
    assert.equal((await store.ledgerReader.balance(ETL))?.accrued, 0n);
    assert.equal((await store.ledgerReader.balance(ML))?.accrued, 70n);
    assert.equal((await store.ledgerReader.balance(ML))?.perHour, 600n);
    assert.equal(await store.ledgerReader.application(ETL, 'yarn-1', 'app-1'), undefined);
    const settled = await store.ledgerWriter.applications([moved]);
    assert.deepEqual([...settled.values()], [{ state: moved, restated: 0 }]);
  });

  test(`${engine}: an application ends with its last container, or with its own end`, async () => {
    await using store = await open();
    const over = { state: 'ended', accrued: 0n, perHour: 0n, nextAt: undefined } as const;
    const read = () => store.ledgerReader.application(ETL, 'yarn-1', 'app-1');
    await store.ledgerWriter.settle(aSettlement({ applications: [anApplication()] }));
    assert.equal((await read())?.state, 'running', 'seen, and no container yet');
    const first = aContainer({ ...over, coverage: 'inferred' });
    const second = aContainer({ container: 'c2' });
    await store.ledgerWriter.settle(aSettlement({ containers: [first, second] }));
    assert.deepEqual([(await read())?.state, (await read())?.containersRunning], ['running', 1]);
    const last = { ...second, ...over, end: T0 + 300, coverage: 'exact' } as const;
    await store.ledgerWriter.settle(aSettlement({ containers: [last] }));
    const ended = await read();
    assert.deepEqual([ended?.state, ended?.end, ended?.coverage], ['ended', T0 + 300, 'inferred']);
    assert.deepEqual([ended?.millicores, ended?.perHour], [0, 0n]);
    await store.ledgerWriter.settle(
      aSettlement({ applications: [anApplication({ ended: T0 + 400 })] }),
    );
    assert.equal((await read())?.end, T0 + 400);
  });

  test(`${engine}: charges pass the largest 64-bit integer without stopping the meter`, async () => {
    await using store = await open();
    const amount = 2n ** 63n - 1n;
    for (const digest of ['x', 'y', 'z']) {
      const charges = [aCharge({ digest, amount })];
      await store.ledgerWriter.settle(aSettlement({ charges, applications: [anApplication()] }));
    }
    assert.equal((await store.ledgerReader.balance(ETL))?.charged, amount * 3n);
  });

  test(`${engine}: what a rate card asks is kept for ever; every change of one is told, none kept`, async () => {
    await using store = await open();
    const [a, b] = [
      { id: 'a', body: '{"coreSecond":"1"}' },
      { id: 'b', body: '{"coreSecond":"2"}' },
    ];
    await store.ledgerWriter.fixRateCards([], T0);
    await store.ledgerWriter.fixRateCards([a, b], T0);
    await store.ledgerWriter.fixRateCards([b], T0 + 9);
    const other = (card: typeof a) => ({ ...card, body: '{"coreSecond":"3"}' });
    const fresh = { id: 'c', body: '{}' };
    await assert.rejects(store.ledgerWriter.fixRateCards([other(a), fresh, other(b)], T0), {
      code: 'CONFIG_INVALID',
      message: /another id.*\n {2}a: .*"1".*"3".*\n {2}b: .*"2".*"3"/s,
    });
    await store.ledgerWriter.fixRateCards([a, b, other(fresh)], T0);
  });
}
