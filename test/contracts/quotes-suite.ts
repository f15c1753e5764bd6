import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import type { KeptQuote, QuoteStore } from '../../shared/stores/quote-store.ts';
import type { WorkloadReader } from '../../shared/stores/workload-reader.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/values/instant.ts';
import { T0 } from '../support/fact-builders.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  ETL,
  ML,
} from '../support/ledger-builders.ts';

interface OpenQuotes extends AsyncDisposable {
  readonly quotes: QuoteStore;
  readonly workloads: WorkloadReader;
  readonly ledgerWriter: LedgerWriter;
}

const quote: KeptQuote = {
  id: 'q1',
  project: ETL,
  pool: 'cpu',
  step: 1_150,
  start: T0,
  end: T0 + 30 * MINUTE_MS,
  application: 'nightly',
  quotedBy: 'night shift',
};

/** What every store of quotes does, whatever it is stored in. */
export function quotesSuite(engine: string, open: () => Promise<OpenQuotes>): void {
  test(`${engine}: a quote is kept once; other words under its id are a conflict`, async () => {
    await using store = await open();
    const { quotes } = store;
    await quotes.keep(quote, 5);
    await quotes.keep(quote, 1);
    assert.deepEqual(await quotes.quote(ETL, 'q1'), quote);
    for (const other of [{ step: 1_000 }, { end: T0 + 1 }, { pool: 'gpu' }, { project: ML }]) {
      await assert.rejects(quotes.keep({ ...quote, ...other }, 5), { code: 'CONFLICT' });
    }
  });

  test(`${engine}: what another project was promised isn't there`, async () => {
    await using store = await open();
    const { quotes } = store;
    await quotes.keep(quote, 5);
    assert.equal(await quotes.quote(ML, 'q1'), undefined);
    assert.deepEqual(await quotes.live(ML, T0), []);
    const found = await quotes.promises([
      { project: ML, quote: 'q1' },
      { project: ETL, quote: 'q0' },
    ]);
    assert.equal(found.size, 0);
    const own = await quotes.promises([{ project: ETL, quote: 'q1' }]);
    assert.equal(own.get('q1')?.step, 1_150);
  });

  test(`${engine}: a project has so many live quotes and no more, until one ends`, async () => {
    await using store = await open();
    const { quotes } = store;
    await quotes.keep(quote, 2);
    await quotes.keep({ ...quote, id: 'q2', end: T0 + HOUR_MS }, 2);
    const third = { ...quote, id: 'q3', start: T0 + MINUTE_MS, end: T0 + HOUR_MS };
    await assert.rejects(quotes.keep(third, 2), { code: 'OVERLOADED', message: /2 locked prices/ });
    await quotes.keep({ ...third, project: ML }, 2);
    await quotes.keep({ ...third, id: 'q4', start: quote.end }, 2);
    const live = await quotes.live(ETL, quote.end);
    assert.deepEqual(
      live.map(({ id }) => id),
      ['q2', 'q4'],
    );
  });

  runsTests(engine, open);
}

/** An application that has run for `hours`, and what it was charged in its first hour. */
async function ran(
  store: OpenQuotes,
  application: string,
  run: {
    readonly name: string;
    readonly start: number;
    readonly charged: readonly [number, bigint][];
  },
): Promise<void> {
  const { name, start, charged } = run;
  const own = { application, cluster: 'yarn-1' };
  const container = `${application}-c`;
  await store.ledgerWriter.settle(
    aSettlement({
      applications: [
        anApplication({
          ...own,
          name,
          start,
          ended: start + HOUR_MS,
          tags: { stage: application },
        }),
      ],
      containers: [
        aContainer({
          ...own,
          ...{ container, start, end: start + HOUR_MS, state: 'ended', coverage: 'exact' },
          ...{ accrued: 0n, perHour: 0n, chargedUntil: start + HOUR_MS, nextAt: undefined },
        }),
      ],
      charges: charged.map(([step, amount]) =>
        aCharge({ ...own, container, hour: start, step, amount, digest: application }),
      ),
    }),
  );
}

function runsTests(engine: string, open: () => Promise<OpenQuotes>): void {
  test(`${engine}: a workload's runs come newest first, with what they paid at which price`, async () => {
    await using store = await open();
    await ran(store, 'a1', { name: 'etl-1', start: T0, charged: [[1_000, 4_000n]] });
    const later = T0 + 2 * HOUR_MS;
    const charged: [number, bigint][] = [
      [1_000, 3_999n],
      [1_500, 9_000_000_000_000_000_000n],
    ];
    await ran(store, 'a2', { name: 'etl-1', start: later, charged });
    await ran(store, 'a3', { name: 'etl-2', start: later, charged: [[1_000, 5_000n]] });
    await ran(store, 'a4', { name: 'etl-1', start: later, charged: [] });
    const runs = await store.workloads.runs(ETL, { name: 'etl-1', tags: {} }, 14);
    assert.deepEqual(runs, [
      {
        ...{ cluster: 'yarn-1', application: 'a2', start: later, end: later + HOUR_MS },
        charged: 9_000_000_000_000_003_999n,
        chargedAt: [
          { step: 1_000, microcredits: 3n },
          { step: 1_500, microcredits: 9_000_000_000_000_000n },
        ],
      },
      {
        ...{ cluster: 'yarn-1', application: 'a1', start: T0, end: T0 + HOUR_MS },
        charged: 4_000n,
        chargedAt: [{ step: 1_000, microcredits: 4n }],
      },
    ]);
    const names = async (name: string, tags = {}, limit = 14) =>
      (await store.workloads.runs(ETL, { name, tags }, limit)).map((run) => run.application);
    assert.deepEqual(await names('etl-*'), ['a2', 'a3', 'a1']);
    assert.deepEqual(await names('etl-*', { stage: 'a3' }), ['a3']);
    assert.deepEqual(await names('etl-*', {}, 1), ['a2']);
    assert.deepEqual(await names('etl'), []);
    assert.deepEqual(await store.workloads.runs(ML, { name: 'etl-1', tags: {} }, 14), []);
  });

  test(`${engine}: names that begin alike for long are told apart`, async () => {
    await using store = await open();
    const long = 'ä'.repeat(300);
    await ran(store, 'a1', { name: `${long}1`, start: T0, charged: [[1_000, 4_000n]] });
    await ran(store, 'a2', { name: `${long}2`, start: T0, charged: [[1_000, 4_000n]] });
    const names = async (name: string) =>
      (await store.workloads.runs(ETL, { name, tags: {} }, 14)).map((run) => run.application);
    assert.deepEqual(await names(`${long}2`), ['a2']);
    assert.deepEqual(await names(`${long}*`), ['a1', 'a2']);
  });
}
