import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RestReplayResult } from '../../../shared/contracts/rest-replay.ts';
import type { AppError } from '../../../shared/errors/app-error.ts';
import { must } from '../../../shared/errors/assert.ts';
import { type Ledger, openLedger } from '../../../shared/stores/sql/open-ledger.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import { NANOCREDITS_PER_CREDIT } from '../../../shared/values/money.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import {
  applicationFact,
  containerFact,
  loadFact,
  T0,
} from '../../../test/support/fact-builders.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { allCharges, meteringOptions } from '../../../test/support/metering-run.ts';
import { settleFacts } from '../../../test/support/settle-facts.ts';
import { startReplay } from './start.ts';

const CONFIG = meteringOptions({
  rateCard: { id: 'plain', coreSecond: '0.001', gibSecond: '0', gpuSecond: '0' },
});
const END = T0 + 6 * HOUR_MS;
const ETL = 'etl' as ProjectId;
const ML = 'ml' as ProjectId;

/** An application an hour in each of two projects: two cores for `etl`, none but memory for `ml`. */
async function aLedger(): Promise<Ledger> {
  const ledger = await openLedger({ file: ':memory:' });
  const facts = [ETL, ML].flatMap((project) =>
    [0, 1, 2, 3, 4].flatMap((hour) => {
      const application = `${project}-${hour}`;
      const start = T0 + hour * HOUR_MS;
      const ref = { application, container: `${application}/c` };
      const resources = { millicores: project === ETL ? 2_000 : 500, memoryMib: 8_192, gpus: 0 };
      return [
        applicationFact('application-seen', start, { application, project }),
        containerFact('container-started', start, { ...ref, resources }),
        containerFact('container-stopped', start + HOUR_MS, ref),
      ];
    }),
  );
  await settleFacts(ledger, facts, END, CONFIG);
  return ledger;
}

interface Asked {
  readonly tariff: Readonly<Record<string, unknown>>;
  readonly project?: ProjectId;
  readonly start?: number;
  readonly end?: number;
}

async function replayed(ledger: Ledger, asked: Asked): Promise<RestReplayResult> {
  const { tariff, project, start = T0, end = END } = asked;
  const deps = {
    config: CONFIG,
    stores: {
      ...{ journal: ledger.journalReader, prices: ledger.priceWriter, replay: ledger.replay },
      ...{ ledger: ledger.ledgerReader, grants: ledger.grants, quotes: ledger.quotes },
    },
    clock: new FakeClock(END),
  };
  let result: RestReplayResult | undefined;
  for await (const line of startReplay(deps, { start, end, project, tariff })) {
    if (line.type === 'result') result = line;
  }
  return must(result, 'a replay ends with its result');
}

const rowsOf = ({ projects }: RestReplayResult) =>
  projects.map(({ project, charged, replayed: now, percent }) => [project, charged, now, percent]);

test('another rate card has winners and losers, to the unit', async () => {
  await using ledger = await aLedger();
  const before = await allCharges(ledger);
  const result = await replayed(ledger, {
    tariff: { rateCard: { gibSecond: '0.0002', coreSecond: '0' } },
  });
  assert.deepEqual(rowsOf(result), [
    ['etl', '36', '28.8', '-20.00'],
    ['ml', '9', '28.8', '220.00'],
  ]);
  assert.deepEqual(result.total, {
    ...{ charged: '45', replayed: '57.6', difference: '12.6', percent: '28.00' },
  });
  assert.deepEqual([result.containers, result.intervals, result.lines], [10, 10, 10]);
  assert.deepEqual(result.changed, ['rateCard']);
  assert.deepEqual(await allCharges(ledger), before, 'nothing is written');
});

test('the tariff that holds comes to what was charged, and so does a part of the window', async () => {
  await using ledger = await aLedger();
  const same = { rateCard: { id: 'same' } };
  assert.deepEqual(rowsOf(await replayed(ledger, { tariff: same })), [
    ['etl', '36', '36', '0.00'],
    ['ml', '9', '9', '0.00'],
  ]);
  const part = { tariff: same, start: T0 + HOUR_MS, end: T0 + 3 * HOUR_MS, project: ML };
  assert.deepEqual(rowsOf(await replayed(ledger, part)), [['ml', '3.6', '3.6', '0.00']]);
});

test('of a container that lives on, only what lies in the window and is charged by now counts', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  const ref = { application: 'app-1', container: 'c1' };
  const facts = [
    applicationFact('application-seen', T0),
    containerFact('container-started', T0 - HOUR_MS / 2, ref),
  ];
  const seen = { cluster: 'yarn-1', container: 'c1', until: END - MINUTE_MS };
  const batch = { facts, evidence: [seen], activity: [], checkpoints: [] };
  await ledger.journalWriter.record(batch, END);
  await settleFacts(ledger, [], END, CONFIG);
  const same = { rateCard: { id: 'same' } };
  const middle = { tariff: same, start: T0 + HOUR_MS, end: T0 + 3 * HOUR_MS };
  assert.deepEqual(rowsOf(await replayed(ledger, middle)), [['etl', '14.4', '14.4', '0.00']]);
  // Its last hour isn't over: it accrues, and is no charge yet.
  assert.deepEqual(rowsOf(await replayed(ledger, { tariff: same })), [['etl', '36', '36', '0.00']]);
});

test('a budget refuses what started after it was used up', async () => {
  await using ledger = await aLedger();
  const budgets = [{ project: 'etl', credits: '14.4' }];
  const { projects } = await replayed(ledger, { tariff: { budgets } });
  assert.deepEqual(
    projects.map(({ exhaustedAt, lowest, refused }) => [exhaustedAt, lowest, refused]),
    [
      [
        '2026-11-21T11:00:00.000Z',
        '-21.6',
        { applications: 3, charged: '21.6', first: ['etl-2', 'etl-3', 'etl-4'] },
      ],
      [null, null, { applications: 0, charged: '0', first: [] }],
    ],
  );
});

test('without a budget it is the grants that limit, with what was charged before', async () => {
  await using ledger = await aLedger();
  const grant = (id: string, credits: bigint, grantedAt: number) =>
    ledger.grants.grant({
      ...{ id, project: ETL, amount: credits * NANOCREDITS_PER_CREDIT, reason: '' },
      grantedAt,
    });
  await grant('before', 15n, T0 - HOUR_MS);
  await grant('later', 100n, T0 + 4 * HOUR_MS);
  const tariff = { rateCard: { coreSecond: '0.002' } };
  const { projects } = await replayed(ledger, { tariff, start: T0 + HOUR_MS });
  // 15 − 7.2 charged at the price that held, then 14.4 an hour, until 100 more come.
  assert.equal(projects[0]?.exhaustedAt, '2026-11-21T11:00:00.000Z');
  assert.deepEqual(projects[0]?.refused.first, ['etl-2', 'etl-3']);
  assert.equal(projects[0]?.lowest, '-35.4');
});

/** Load that fills the cluster for two hours, and the prices that the rule in force made of it. */
async function withLoad(ledger: Ledger): Promise<void> {
  const facts = Array.from({ length: 6 * 360 }, (_, i) =>
    loadFact(T0 + i * 10_000, i < 720 ? 1.2 : 0.2),
  );
  for (let from = 0; from < facts.length; from += 6) {
    const now = T0 + from * 10_000;
    const batch = {
      facts: facts.slice(from, from + 6),
      evidence: [],
      activity: [],
      checkpoints: [],
    };
    await ledger.journalWriter.record(batch, now);
  }
}

test('the price rule that held gives the prices that were announced, another one others', async () => {
  await using ledger = await aLedger();
  await withLoad(ledger);
  const { PriceSetter } = await import('../ledger/price-setter.ts');
  const { priceRuleOf } = await import('../price-config.ts');
  const { journalReader: journal, priceWriter: prices, priceFreezes } = ledger;
  const clusters = async () => ['yarn-1'];
  const pool = { id: 'default', clusters, rule: priceRuleOf(CONFIG.price) };
  const setter = new PriceSetter({ journal, prices, priceFreezes }, pool);
  for (let now = T0; now < END; now += MINUTE_MS) await setter.evaluate(now);
  const announced = await ledger.priceWriter.epochs('default', T0, END);
  assert.ok(announced.length > 5, 'the price moved');
  const start = T0 + HOUR_MS;
  const same = await replayed(ledger, { tariff: { price: { slope: 2 } }, start });
  const [samePool] = same.pools;
  assert.deepEqual(samePool?.mean.replayed, samePool?.mean.announced);
  assert.deepEqual(samePool?.changes.replayed, samePool?.changes.announced);
  const flat = await replayed(ledger, { tariff: { price: { frozen: true } }, start });
  assert.equal(flat.pools[0]?.changes.replayed, 0);
  const steep = await replayed(ledger, { tariff: { price: { slope: 8, cap: 6 } }, start });
  assert.ok(Number(steep.total.replayed) > Number(same.total.replayed));
  assert.deepEqual(steep.changed, ['price']);
});

test('all that is wrong with a tariff is told at once', async () => {
  await using ledger = await aLedger();
  const refusal = async (tariff: Readonly<Record<string, unknown>>) => {
    const error = await replayed(ledger, { tariff }).then(
      () => assert.fail('a bad tariff passed'),
      (problem: AppError) => problem,
    );
    assert.equal(error.code, 'BAD_REQUEST');
    return (error.details['errors'] as { path: string }[]).map(({ path }) => path).sort();
  };
  assert.deepEqual(
    await refusal({
      rateCard: { coreSecond: '-1', gpuSecond: '1e3' },
      price: { knee: 7 },
      budgets: [
        { project: 'etl', credits: '1' },
        { project: 'ETL', credits: '-1' },
      ],
    }),
    [
      'body.tariff.budgets.1.credits',
      'body.tariff.budgets.1.project',
      'body.tariff.price.knee',
      'body.tariff.rateCard.coreSecond',
      'body.tariff.rateCard.gpuSecond',
    ],
  );
  assert.deepEqual(await refusal({}), ['body.tariff']);
  assert.deepEqual(await refusal({ rateCards: {} }), ['body.tariff', 'body.tariff.rateCards']);
  const twice = [
    { project: 'etl', credits: '1' },
    { project: 'ETL', credits: '2' },
  ];
  assert.deepEqual(await refusal({ budgets: twice }), ['body.tariff.budgets.1.project']);
  assert.deepEqual(
    await refusal({
      pools: [
        { id: 'a', clusters: ['x'] },
        { id: 'b', clusters: ['x'] },
      ],
    }),
    ['body.tariff.pools'],
  );
});

test('progress rises to the end, and a replay that is left stops', async () => {
  await using ledger = await aLedger();
  const deps = {
    config: CONFIG,
    stores: {
      ...{ journal: ledger.journalReader, prices: ledger.priceWriter, replay: ledger.replay },
      ...{ ledger: ledger.ledgerReader, grants: ledger.grants, quotes: ledger.quotes },
    },
    clock: new FakeClock(END),
  };
  const request = { start: T0, end: END, project: undefined, tariff: { rateCard: { id: 'x' } } };
  const phases: string[] = [];
  for await (const line of startReplay(deps, request)) {
    if (line.type === 'progress') phases.push(`${line.phase} ${line.done}/${line.total}`);
  }
  assert.deepEqual(phases, ['charges 10/10', 'budgets 1/2', 'budgets 2/2']);
  const left = startReplay(deps, request);
  await left.next();
  assert.deepEqual(await left.return(undefined), { done: true, value: undefined });
});
