import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExplanationReader } from '../../shared/stores/explanation-reader.ts';
import type { JournalWriter } from '../../shared/stores/journal.ts';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { containerFact, T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  ETL,
  ML,
} from '../support/ledger-builders.ts';

interface OpenLedger extends AsyncDisposable {
  readonly journalWriter: JournalWriter;
  readonly ledgerWriter: LedgerWriter;
  readonly explanations: ExplanationReader;
}

/** What an explanation reads, whatever it is stored in. */
export function explanationReaderSuite(engine: string, open: () => Promise<OpenLedger>): void {
  test(`${engine}: a row is found by its id, by its project alone`, async () => {
    await using store = await open();
    const charge = aCharge({ hour: T0 + HOUR_MS });
    await store.ledgerWriter.settle(
      aSettlement({ charges: [charge, aCharge()], applications: [anApplication()] }),
    );
    assert.deepEqual(await store.explanations.charge(ETL, charge.id), charge);
    for (const [project, id] of [
      [ML, charge.id],
      [ETL, `${charge.id}x`],
      [ETL, 'app-1'],
      [ETL, ''],
      [ETL, 'zzzzzz.d1.1000.000'],
      [ETL, "'\u0000"],
    ] as const) {
      assert.equal(await store.explanations.charge(project, id), undefined, id);
    }
  });

  test(`${engine}: an application is found on the clusters where it is the project's`, async () => {
    await using store = await open();
    const applications = [
      anApplication(),
      anApplication({ cluster: 'a-1' }),
      anApplication({ cluster: 'b-1', project: ML }),
      anApplication({ cluster: 'z-1', application: 'app-2' }),
    ];
    await store.ledgerWriter.settle(aSettlement({ applications }));
    assert.deepEqual(await store.explanations.clustersOf(ETL, 'app-1'), ['a-1', 'yarn-1']);
    assert.deepEqual(await store.explanations.clustersOf(ML, 'app-1'), ['b-1']);
    assert.deepEqual(await store.explanations.clustersOf(ETL, 'none'), []);
  });

  test(`${engine}: containers come in order of name, in pages, of the project's application`, async () => {
    await using store = await open();
    const containers = ['c3', 'c1', 'c2', 'c10'].map((container) => aContainer({ container }));
    await store.ledgerWriter.settle(aSettlement({ containers, applications: [anApplication()] }));
    const ref = { cluster: 'yarn-1', application: 'app-1' };
    const page = (after?: string) =>
      store.explanations.containersOf(ETL, ref, {
        limit: 2,
        ...(after === undefined ? {} : { after }),
      });
    assert.deepEqual(await page(), ['c1', 'c10']);
    assert.deepEqual(await page('c10'), ['c2', 'c3']);
    assert.deepEqual(await page('c3'), []);
    assert.deepEqual(await store.explanations.containersOf(ML, ref, { limit: 2 }), []);
  });

  test(`${engine}: a dossier holds facts with when they came, evidence, and the project's rows`, async () => {
    await using store = await open();
    const start = containerFact('container-started', T0);
    const stop = containerFact('container-stopped', T0 + HOUR_MS);
    const other = containerFact('container-started', T0, { container: 'c2' });
    const evidence = { cluster: 'yarn-1', container: 'c1', until: T0 + 7 };
    await store.journalWriter.record(
      journalBatch({ facts: [stop, other], evidence: [evidence] }),
      T0 + 10,
    );
    await store.journalWriter.record(journalBatch({ facts: [start] }), T0 + 20);
    const rows = [aCharge(), aCharge({ hour: T0 + HOUR_MS })];
    const foreign = aCharge({ project: ML, digest: 'd9', step: 1_050 });
    await store.ledgerWriter.settle(
      aSettlement({ charges: [...rows, foreign], applications: [anApplication()] }),
    );
    const ask = (hour?: number) =>
      store.explanations.dossiers(ETL, 'yarn-1', ['c2', 'c1', 'c9'], hour);
    const [second, first, none] = await ask();
    assert.deepEqual(first, {
      ...{ cluster: 'yarn-1', container: 'c1', application: 'app-1' },
      facts: [
        { fact: start, storedAt: T0 + 20 },
        { fact: stop, storedAt: T0 + 10 },
      ],
      evidence: { until: T0 + 7, storedAt: T0 + 10 },
      rows,
    });
    assert.deepEqual(second?.facts, [{ fact: other, storedAt: T0 + 10 }]);
    assert.deepEqual(none?.facts, []);
    assert.deepEqual((await ask(T0 + HOUR_MS))[1]?.rows, [rows[1]]);
  });
}
