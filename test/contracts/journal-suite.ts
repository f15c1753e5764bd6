import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applicationKey,
  containerKey,
  type JournalReader,
  type JournalWriter,
} from '../../shared/stores/journal.ts';
import { applicationFact, containerFact, loadFact, T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';

export interface OpenJournal extends AsyncDisposable {
  readonly journalWriter: JournalWriter;
  readonly journalReader: JournalReader;
}

const C1 = { cluster: 'yarn-1', container: 'c1' };

/** What every journal does, whatever it is stored in. */
export function journalSuite(engine: string, open: () => Promise<OpenJournal>): void {
  test(`${engine}: facts come back as they went in, in the order of storing`, async () => {
    await using store = await open();
    const start = containerFact('container-started', T0);
    const seen = applicationFact('application-seen', T0 - 5);
    await store.journalWriter.record(journalBatch({ facts: [start] }), T0 + 1);
    await store.journalWriter.record(journalBatch({ facts: [seen, loadFact(T0, 0.5)] }), T0 + 2);
    const stored = await store.journalReader.factsAfter(0, 10);
    assert.deepEqual(
      stored.map(({ fact, storedAt }) => [fact, storedAt]),
      [
        [start, T0 + 1],
        [seen, T0 + 2],
        [loadFact(T0, 0.5), T0 + 2],
      ],
    );
    const after = await store.journalReader.factsAfter(stored[0]?.seq ?? 0, 1);
    assert.deepEqual(
      after.map(({ fact }) => fact.id),
      [seen.id],
    );
  });

  test(`${engine}: a fact stored twice is one fact, whatever the order of its keys`, async () => {
    await using store = await open();
    const fact = containerFact('container-started', T0);
    const shuffled = Object.fromEntries(Object.entries(fact).reverse()) as unknown as typeof fact;
    const once = await store.journalWriter.record(journalBatch({ facts: [fact, fact] }), T0);
    assert.deepEqual(once, { stored: 1, duplicates: 1, conflicts: [] });
    const again = await store.journalWriter.record(journalBatch({ facts: [shuffled] }), T0 + 9);
    assert.deepEqual(again, { stored: 0, duplicates: 1, conflicts: [] });
    assert.equal((await store.journalReader.factsAfter(0, 10)).length, 1);
  });

  test(`${engine}: an id taken by another body is handed back, and the first body stands`, async () => {
    await using store = await open();
    const first = containerFact('container-started', T0, { id: 'x' });
    const other = containerFact('container-started', T0 + 7, { id: 'x' });
    const fresh = containerFact('container-started', T0, { id: 'y', container: 'c2' });
    await store.journalWriter.record(journalBatch({ facts: [first] }), T0);
    const result = await store.journalWriter.record(journalBatch({ facts: [other, fresh] }), T0);
    assert.deepEqual(result, { stored: 1, duplicates: 0, conflicts: [other] });
    const twice = containerFact('container-stopped', T0, { id: 'z' });
    const within = await store.journalWriter.record(
      journalBatch({ facts: [twice, { ...twice, at: T0 + 1 }] }),
      T0,
    );
    assert.equal(within.conflicts[0]?.at, T0 + 1);
    const elsewhere = { ...other, cluster: 'yarn-2' };
    const apart = await store.journalWriter.record(journalBatch({ facts: [elsewhere] }), T0);
    assert.equal(apart.stored, 1);
  });

  test(`${engine}: a container's facts, evidence and time of news are found together`, async () => {
    await using store = await open();
    const facts = [
      containerFact('container-started', T0),
      containerFact('container-stopped', T0 + 50),
      containerFact('container-started', T0, { container: 'c2' }),
      containerFact('container-started', T0, { cluster: 'yarn-2' }),
    ];
    await store.journalWriter.record(journalBatch({ facts }), T0 + 60);
    const evidence = [
      { ...C1, until: T0 + 40 },
      { ...C1, until: T0 + 30 },
    ];
    await store.journalWriter.record(journalBatch({ evidence }), T0 + 70);
    const older = [{ ...C1, until: T0 + 20 }];
    await store.journalWriter.record(journalBatch({ evidence: older }), T0 + 80);
    const records = await store.journalReader.containers([
      C1,
      { cluster: 'yarn-1', container: 'none' },
    ]);
    assert.equal(records.size, 1);
    const record = records.get(containerKey(C1));
    assert.deepEqual(record?.facts.map(({ id }) => id).sort(), [facts[0]?.id, facts[1]?.id]);
    assert.equal(record?.evidence, T0 + 40);
    assert.equal(record?.learnedAt, T0 + 70, 'older evidence is no news');
  });

  test(`${engine}: an application's facts are found by cluster and application`, async () => {
    await using store = await open();
    const mine = applicationFact('application-seen', T0);
    const foreign = applicationFact('application-seen', T0, { cluster: 'yarn-2' });
    await store.journalWriter.record(journalBatch({ facts: [mine, foreign] }), T0);
    const found = await store.journalReader.applications([mine]);
    assert.deepEqual([...found], [[applicationKey(mine), [mine]]]);
  });

  test(`${engine}: load is read by cluster and time, the start included and the end not`, async () => {
    await using store = await open();
    const facts = [0, 10, 20].map((s) => loadFact(T0 + s, 0.5));
    const other = loadFact(T0, 0.1, { cluster: 'other' });
    await store.journalWriter.record(journalBatch({ facts: [...facts, other].reverse() }), T0);
    const reader = store.journalReader;
    assert.deepEqual(await reader.loads('yarn-1', T0, T0 + 20, 10), facts.slice(0, 2));
    assert.deepEqual(await reader.loads('yarn-1', T0, T0 + 99, 1), facts.slice(0, 1));
    assert.deepEqual(await reader.clusters(), ['other', 'yarn-1']);
  });

  test(`${engine}: a checkpoint is stored with its batch and found by prefix`, async () => {
    await using store = await open();
    const checkpoints = ['a/1', 'a/2', 'ab', 'a_'].map((source) => ({ source, position: '1' }));
    await store.journalWriter.record(journalBatch({ checkpoints }), T0);
    const moved = [{ source: 'a/2', position: '{"offset":9}' }];
    await store.journalWriter.record(journalBatch({ checkpoints: moved }), T0);
    assert.deepEqual(await store.journalWriter.checkpoints('a/'), [
      { source: 'a/1', position: '1' },
      { source: 'a/2', position: '{"offset":9}' },
    ]);
    assert.deepEqual(await store.journalWriter.checkpoints('%'), []);
  });

  test(`${engine}: hostile names are kept as they are`, async () => {
    await using store = await open();
    const tags = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    const fact = applicationFact('application-seen', T0, {
      id: "'; DROP TABLE fact --",
      application: '%_\\"',
      name: 'nul\u0000 and \ud800 alone',
      tags,
    });
    const first = await store.journalWriter.record(journalBatch({ facts: [fact] }), T0);
    const second = await store.journalWriter.record(journalBatch({ facts: [fact] }), T0);
    assert.deepEqual([first.stored, second.duplicates], [1, 1]);
    const [read] = (await store.journalReader.applications([fact])).get(applicationKey(fact)) ?? [];
    assert.deepEqual(Object.entries(read?.tags ?? {}), Object.entries(tags));
  });

  test(`${engine}: more facts than one statement takes are one batch`, async () => {
    await using store = await open();
    const facts = Array.from({ length: 1_234 }, (_, i) =>
      containerFact('container-started', T0 + i, { container: `c${i}` }),
    );
    const result = await store.journalWriter.record(journalBatch({ facts }), T0);
    assert.equal(result.stored, 1_234);
    const found = await store.journalReader.containers(facts);
    assert.equal(found.size, 1_234);
  });
}
