import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerAnomaly } from '../../shared/contracts/anomaly.ts';
import { NO_QUANTITY } from '../../shared/contracts/charge.ts';
import type { ClockPair } from '../../shared/intervals/clock-skew.ts';
import type { LedgerReader } from '../../shared/stores/ledger-reader.ts';
import type { Findings, LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { UNATTRIBUTED } from '../../shared/values/project-id.ts';
import { SMALL, T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  ETL,
  ML,
} from '../support/ledger-builders.ts';
import type { OpenJournal } from './journal-suite.ts';

interface OpenLedger extends OpenJournal {
  readonly ledgerWriter: LedgerWriter;
  readonly ledgerReader: LedgerReader;
}

const WINDOW = { from: T0, until: T0 + HOUR_MS };
const REF = { cluster: 'yarn-1', application: 'app-1', container: 'c1' };

function anAnomaly(more: Partial<LedgerAnomaly> = {}): LedgerAnomaly {
  const anomaly = 'stop-before-start';
  return { anomaly, factId: 'f1', at: T0, project: ETL, detail: '{}', ...REF, ...more };
}

function found(
  anomalies: readonly LedgerAnomaly[],
  more: Partial<Findings> = {},
): { findings: Findings[] } {
  return { findings: [{ ...REF, anomalies, clockPairs: [], ...more }] };
}

const pair = (more: Partial<ClockPair> = {}): ClockPair => ({
  witness: 'yarn',
  reference: 'event-log',
  host: '',
  at: T0,
  startMs: 70,
  stopMs: undefined,
  ...more,
});

/** What every ledger keeps of what witnesses got wrong, and tells of clusters. */
export function findingsSuite(engine: string, open: () => Promise<OpenLedger>): void {
  test(`${engine}: the anomalies of a container are those that were found last`, async () => {
    await using store = await open();
    const { ledgerWriter: writer, ledgerReader: reader } = store;
    const other = anAnomaly({ factId: 'f2', at: T0 + 5, detail: '{"what":"stop"}' });
    await writer.settle(aSettlement(found([anAnomaly(), other])));
    await writer.settle(aSettlement(found([anAnomaly(), other])));
    const listed = async () => (await reader.anomalies(ETL, WINDOW, { limit: 9 })).anomalies;
    assert.deepEqual(await listed(), [anAnomaly(), other]);
    await writer.settle(aSettlement(found([{ ...other, project: ML }])));
    assert.deepEqual(await listed(), [], 'the one has gone, the other is another project’s');
    const { anomalies } = await reader.anomalies(ML, WINDOW, { limit: 9 });
    assert.deepEqual(anomalies, [{ ...other, project: ML }]);
  });

  test(`${engine}: anomalies are paged, by kind and time, and an application has its own`, async () => {
    await using store = await open();
    const own = anAnomaly({ container: '', anomaly: 'project-not-allowed', at: T0 + 3 });
    const many = Array.from({ length: 5 }, (_, i) => anAnomaly({ factId: `f${i}`, at: T0 + i }));
    await store.ledgerWriter.settle(aSettlement(found(many)));
    await store.ledgerWriter.settle(aSettlement(found([own], { container: '' })));
    const { ledgerReader: reader } = store;
    const pages: LedgerAnomaly[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await reader.anomalies(ETL, WINDOW, {
        limit: 2,
        ...(cursor === undefined ? {} : { cursor }),
      });
      pages.push(...page.anomalies);
      cursor = page.cursor;
      if (cursor === undefined) break;
    }
    assert.deepEqual(new Set(pages), new Set([...many, own]));
    assert.equal(pages.length, 6);
    const kind = { limit: 9, anomaly: 'project-not-allowed' };
    assert.deepEqual((await reader.anomalies(ETL, WINDOW, kind)).anomalies, [own]);
    const later = { from: T0 + 4, until: T0 + 5 };
    assert.equal((await reader.anomalies(ETL, later, { limit: 9 })).anomalies.length, 1);
    await assert.rejects(reader.anomalies(ETL, WINDOW, { limit: 9, cursor: 'x' }), {
      code: 'BAD_REQUEST',
    });
  });

  test(`${engine}: more anomalies than one statement takes are kept`, async () => {
    await using store = await open();
    const many = Array.from({ length: 5_000 }, (_, i) => anAnomaly({ factId: `f${i}` }));
    await store.ledgerWriter.settle(aSettlement(found(many)));
    const { anomalies } = await store.ledgerReader.anomalies(ETL, WINDOW, { limit: 9_000 });
    assert.equal(anomalies.length, 5_000);
  });

  test(`${engine}: a pair of clocks is kept once a container and witness`, async () => {
    await using store = await open();
    await store.ledgerWriter.settle(aSettlement(found([], { clockPairs: [pair()] })));
    const better = pair({ stopMs: -5 });
    await store.ledgerWriter.settle(aSettlement(found([], { clockPairs: [better] })));
    assert.deepEqual(await store.ledgerReader.clockPairs('yarn-1'), [better]);
    assert.deepEqual(await store.ledgerReader.clockPairs('other'), []);
  });

  test(`${engine}: of many pairs of clocks the newest are kept`, async () => {
    await using store = await open();
    const findings = Array.from({ length: 2_050 }, (_, i) => ({
      ...REF,
      container: `c${i}`,
      anomalies: [],
      clockPairs: [pair({ at: T0 + i })],
    }));
    await store.ledgerWriter.settle(aSettlement({ findings }));
    const kept = await store.ledgerReader.clockPairs('yarn-1');
    assert.equal(kept.length, 2_000);
    assert.equal(kept.at(-1)?.at, T0 + 50);
  });

  test(`${engine}: a total tells how much of it is inferred`, async () => {
    await using store = await open();
    const charges = [
      aCharge({ amount: 7n }),
      aCharge({ digest: 'd2', amount: 5n, coverage: 'inferred' }),
      aCharge({ digest: 'd2', revision: 1, type: 'RETRACTION', amount: -5n, coverage: 'inferred' }),
      aCharge({ digest: 'd2', revision: 2, amount: 3n, coverage: 'inferred' }),
    ];
    const parts = { charges, containers: [aContainer()], applications: [anApplication()] };
    await store.ledgerWriter.settle(aSettlement(parts));
    await store.ledgerWriter.settle(aSettlement(parts));
    const balance = await store.ledgerReader.balance(ETL);
    assert.deepEqual([balance?.charged, balance?.inferred], [10n, 3n]);
    const cost = await store.ledgerReader.application(ETL, 'yarn-1', 'app-1');
    assert.deepEqual([cost?.charged, cost?.inferred], [10n, 3n]);
  });

  test(`${engine}: charges are told by what became of their containers`, async () => {
    await using store = await open();
    const containers = [
      aContainer({ attempt: '1', outcome: 'retried-attempt' }),
      aContainer({ container: 'c2', attempt: '2', outcome: '' }),
      aContainer({ container: 'c3', attempt: '2', outcome: '' }),
    ];
    const charges = containers.map(({ container }, i) =>
      aCharge({ digest: `d${i}`, container, amount: 5n, outcome: 'preempted 50' }),
    );
    const applications = [anApplication()];
    await store.ledgerWriter.settle(aSettlement({ containers, charges, applications }));
    const outcomes = await store.ledgerReader.outcomes(ETL, 'yarn-1', 'app-1');
    assert.deepEqual(
      outcomes.map((one) => [one.outcome, one.attempt, one.containers, one.charged]),
      [
        ['', '2', 2, 10n],
        ['retried-attempt', '1', 1, 5n],
      ],
    );
    assert.deepEqual(await store.ledgerReader.outcomes(ML, 'yarn-1', 'app-1'), []);
    const [row] = await store.ledgerReader.charges(ETL, WINDOW, { limit: 1 });
    assert.equal(row?.outcome, 'preempted 50');
  });

  test(`${engine}: a cluster’s use is the sum of its charges, and what runs`, async () => {
    await using store = await open();
    const quantity = { containerMs: 10n, millicoreMs: 20n, mibMs: 30n, gpuMs: 40n };
    const negated = { containerMs: -10n, millicoreMs: -20n, mibMs: -30n, gpuMs: -40n };
    const charges = [
      aCharge({ quantity, amount: 5n }),
      aCharge({ quantity, amount: 5n, digest: 'd2', step: 1_050, project: ML }),
      aCharge({ quantity: negated, amount: -5n, revision: 1, type: 'RETRACTION' }),
      aCharge({ quantity, amount: 5n, digest: 'd3', hour: T0 + HOUR_MS, project: UNATTRIBUTED }),
      aCharge({ quantity, amount: 5n, digest: 'd4', cluster: 'other' }),
    ];
    const end = T0 + HOUR_MS + 7;
    const containers = [aContainer({ end, witnessedUntil: end, chargedUntil: T0 + HOUR_MS })];
    const applications = [anApplication(), anApplication({ cluster: 'other' })];
    await store.ledgerWriter.settle(aSettlement({ containers, charges, applications }));
    const use = (from: number, until: number) =>
      store.ledgerReader.clusterUse('yarn-1', { from, until });
    const running = {
      containerMs: 17n,
      millicoreMs: 20n + 7n * BigInt(SMALL.millicores),
      mibMs: 30n + 7n * BigInt(SMALL.memoryMib),
      gpuMs: 40n,
    };
    const first = { hour: T0, quantity, unallocated: NO_QUANTITY, provisional: false };
    assert.deepEqual(await use(T0, T0 + HOUR_MS), [first]);
    const second = { hour: T0 + HOUR_MS, quantity: running, provisional: true };
    assert.deepEqual(await use(T0, T0 + 2 * HOUR_MS), [
      first,
      { ...second, unallocated: quantity },
    ]);
    // Nobody's in the end: what runs is as unallocated as what is charged.
    const nobodys = anApplication({ project: UNATTRIBUTED });
    await store.ledgerWriter.settle(aSettlement({ cursor: 1, applications: [nobodys] }));
    assert.deepEqual(await use(T0 + HOUR_MS, T0 + 2 * HOUR_MS), [
      { ...second, unallocated: running },
    ]);
    assert.deepEqual(await use(T0 - HOUR_MS, T0), []);
  });

  test(`${engine}: nodes are told with when their cluster was last heard of`, async () => {
    await using store = await open();
    const node = {
      kind: 'node-started',
      id: 'n',
      cluster: 'yarn-1',
      witness: 'yarn',
      at: T0,
      node: 'n1',
      capacity: SMALL,
      market: 'spot',
      instance: 'i-1',
      tags: { rack: '7' },
    } as const;
    const { journalReader, journalWriter } = store;
    await journalWriter.record(journalBatch({ facts: [node] }), T0);
    const silent = { facts: [node], heardUntil: undefined };
    assert.deepEqual(await journalReader.nodeFacts('yarn-1', T0 + 1), silent);
    const load = { allocated: SMALL, pending: SMALL, capacity: SMALL };
    const told = { kind: 'load', cluster: 'yarn-1', witness: 'yarn', ...load } as const;
    const loads = [T0 + 9, T0 + 5].map((at) => ({ ...told, id: `l${at}`, at }));
    await journalWriter.record(journalBatch({ facts: loads }), T0);
    assert.equal((await journalReader.nodeFacts('yarn-1', T0 + 1)).heardUntil, T0 + 9);
    assert.deepEqual((await journalReader.nodeFacts('yarn-1', T0)).facts, []);
  });
}
