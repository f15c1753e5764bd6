import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { GrantStore } from '../../shared/stores/grant-store.ts';
import type { LedgerReader } from '../../shared/stores/ledger-reader.ts';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import type { PriceWriter } from '../../shared/stores/price-book.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { T0 } from '../support/fact-builders.ts';
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
  readonly priceWriter: PriceWriter;
  readonly grants: GrantStore;
}

const projectOf = (n: number) => `p${n}` as ProjectId;

const grantOf = (project: ProjectId, amount: bigint, id = `${project}/${amount}`) => ({
  ...{ id, project, amount },
  ...{ reason: 'r', grantedAt: T0 },
});

const epochOf = (pool: string, step: number, start: number) => ({
  id: `${pool}/${start}`,
  ...{ pool, step, start, end: undefined },
  ...{ ruleVersion: 'load-1', reason: 'load', inputs: '{}' },
});

/** Many quotas asked for at once, as a busy API does. */
function manyQuotas(engine: string, open: () => Promise<OpenLedger>): void {
  test(`${engine}: quotas asked for at once are those of each alone`, async () => {
    await using store = await open();
    const projects = [0, 1, 2, 3].map(projectOf);
    for (const [n, project] of projects.entries()) {
      await store.grants.grant(grantOf(project, BigInt(n + 1)));
    }
    const epochs = [0, 1, 2].flatMap((n) => [
      epochOf('cpu', 1_100 + n * 50, T0 + n * 2),
      epochOf('gpu', 2_100 + n * 50, T0 + 1 + n * 2),
    ]);
    for (const epoch of epochs) await store.priceWriter.announce(epoch, T0);
    const one = fc.record({
      n: fc.integer({ min: 0, max: 5 }),
      pool: fc.constantFrom('cpu', 'gpu', 'a "pool", {NULL}'),
      now: fc.integer({ min: T0 - 1, max: T0 + 7 }),
    });
    const check = async (questions: { n: number; pool: string; now: number }[]) => {
      const answers = await Promise.all(
        questions.map(({ n, pool, now }) => store.ledgerReader.quota(projectOf(n), pool, now)),
      );
      for (const [index, { n, pool, now }] of questions.entries()) {
        const answer = answers[index];
        const step = epochs.findLast((epoch) => epoch.pool === pool && epoch.start <= now)?.step;
        assert.deepEqual(
          answer && [answer.balance.project, answer.balance.granted, answer.step],
          n < projects.length ? [projectOf(n), BigInt(n + 1), step ?? 1_000] : undefined,
        );
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(one, { maxLength: 40 }), check), { numRuns: 50 });
  });

  test(`${engine}: a quota holds what was stored before it was asked, whatever is on its way`, async () => {
    await using store = await open();
    const quota = async () => (await store.ledgerReader.quota(ETL, 'cpu', T0))?.balance.granted;
    for (let n = 1; n <= 20; n += 1) {
      const others = [1, 2, 3, 4, 5].map(quota);
      await store.grants.grant(grantOf(ETL, 1n, `g${n}`));
      others.push(quota());
      const mine = await quota();
      assert.equal(mine, BigInt(n));
      for (const other of await Promise.all(others)) {
        assert.ok((other ?? 0n) >= BigInt(n - 1), 'none is older than its question');
      }
    }
  });
}

/** What every ledger answers, whatever it is stored in. */
export function ledgerReaderSuite(engine: string, open: () => Promise<OpenLedger>): void {
  manyQuotas(engine, open);

  test(`${engine}: pages of applications join without gap, newest first`, async () => {
    await using store = await open();
    const applications = Array.from({ length: 7 }, (_, i) =>
      anApplication({ application: `app-${i}`, start: T0 + Math.floor(i / 3) }),
    );
    const foreign = anApplication({ application: 'foreign', project: ML });
    await store.ledgerWriter.settle(aSettlement({ applications: [...applications, foreign] }));
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.ledgerReader.applications(ETL, {
        limit: 2,
        ...(cursor === undefined ? {} : { cursor }),
      });
      names.push(...page.applications.map(({ application }) => application));
      cursor = page.cursor;
    } while (cursor !== undefined);
    assert.deepEqual(names, ['app-6', 'app-3', 'app-4', 'app-5', 'app-0', 'app-1', 'app-2']);
    const ended = await store.ledgerReader.applications(ETL, { state: 'ended', limit: 9 });
    assert.deepEqual(ended.applications, []);
    await assert.rejects(store.ledgerReader.applications(ETL, { limit: 9, cursor: 'x' }), {
      code: 'BAD_REQUEST',
    });
  });

  test(`${engine}: pages of charges join in order of id, within window and project`, async () => {
    await using store = await open();
    const rows = Array.from({ length: 9 }, (_, i) =>
      aCharge({ hour: T0 + Math.floor(i / 3) * HOUR_MS, step: 1_000 + (i % 3) * 50, amount: 1n }),
    );
    const foreign = aCharge({ digest: 'd2', project: ML });
    await store.ledgerWriter.settle(
      aSettlement({ charges: [...rows, foreign].reverse(), applications: [anApplication()] }),
    );
    const window = { from: T0, until: T0 + 2 * HOUR_MS };
    const ids: string[] = [];
    for (;;) {
      const after = ids.at(-1);
      const page = await store.ledgerReader.charges(ETL, window, {
        limit: 4,
        ...(after === undefined ? {} : { after }),
      });
      if (page.length === 0) break;
      ids.push(...page.map(({ id }) => id));
    }
    assert.deepEqual(
      ids,
      rows.slice(0, 6).map(({ id }) => id),
    );
  });

  test(`${engine}: the quota read joins balance and the price in force`, async () => {
    await using store = await open();
    const quota = async (pool: string, now: number) => store.ledgerReader.quota(ETL, pool, now);
    assert.equal(await quota('default', T0), undefined);
    await store.ledgerWriter.settle(
      aSettlement({ containers: [aContainer()], applications: [anApplication()] }),
    );
    const epoch = {
      id: 'e',
      pool: 'default',
      step: 1_150,
      start: T0,
      end: undefined,
      ruleVersion: 'load-1',
      reason: 'load',
      inputs: '{}',
    };
    await store.priceWriter.announce(epoch, T0);
    assert.equal((await quota('default', T0 - 1))?.step, 1_000);
    assert.equal((await quota('default', T0))?.step, 1_150);
    assert.equal((await quota('gpu', T0))?.step, 1_000);
    const balance = { ...(await quota('default', T0))?.balance, inferred: 0n };
    assert.deepEqual(balance, await store.ledgerReader.balance(ETL));
  });

  test(`${engine}: activity is summed over attempts, the latest of each`, async () => {
    await using store = await open();
    const part = { usefulMs: 1, wastedMs: 2, idleMs: 3, tailMs: 4, startUpMs: 5, slotMs: 15 };
    const ref = { cluster: 'yarn-1', application: 'app-1' };
    const first = { ...ref, ...part, attempt: '1', at: T0 + 1 };
    const older = { ...first, at: T0, slotMs: 99, usefulMs: 85 };
    const second = { ...ref, ...part, attempt: '2', at: T0 + 9 };
    const record = (activity: (typeof first)[]) =>
      store.journalWriter.record(journalBatch({ activity }), T0);
    await record([first, second, older]);
    await record([older]);
    await store.ledgerWriter.settle(aSettlement({ applications: [anApplication()] }));
    const cost = await store.ledgerReader.application(ETL, 'yarn-1', 'app-1');
    assert.deepEqual(cost?.activity, {
      ...ref,
      attempt: '2',
      at: T0 + 9,
      usefulMs: 2,
      wastedMs: 4,
      idleMs: 6,
      tailMs: 8,
      startUpMs: 10,
      slotMs: 30,
    });
  });
}
