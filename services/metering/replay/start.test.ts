import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RestReplayResult } from '../../../shared/contracts/rest-replay.ts';
import type { AppError } from '../../../shared/errors/app-error.ts';
import { must } from '../../../shared/errors/assert.ts';
import { QUOTE_TAG } from '../../../shared/price/price-promise.ts';
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

test('a minimum is paid once a container, of its whole life, whatever part the window has', async () => {
  await using ledger = await aLedger();
  const least = { rateCard: { minimum: '9' } };
  assert.deepEqual(rowsOf(await replayed(ledger, { tariff: least })), [
    ['etl', '36', '45', '25.00'],
    ['ml', '9', '45', '400.00'],
  ]);
  const ref = { application: 'long', container: 'long/c' };
  const resources = { millicores: 1_000, memoryMib: 0, gpus: 0 };
  const facts = [
    applicationFact('application-seen', T0, { application: 'long', project: 'bi' as ProjectId }),
    containerFact('container-started', T0, { ...ref, resources }),
    containerFact('container-stopped', T0 + 4 * HOUR_MS, ref),
  ];
  await settleFacts(ledger, facts, END, CONFIG);
  const ofTwo = { start: T0 + 2 * HOUR_MS, project: 'bi' as ProjectId };
  // 14.4 over its life: above 9, and 5.6 below 20 in the hour in which it ends.
  assert.deepEqual(rowsOf(await replayed(ledger, { tariff: least, ...ofTwo })), [
    ['bi', '7.2', '7.2', '0.00'],
  ]);
  const more = { rateCard: { minimum: '20' } };
  assert.deepEqual(rowsOf(await replayed(ledger, { tariff: more, ...ofTwo })), [
    ['bi', '7.2', '12.8', '77.78'],
  ]);
});

test('cards of a pool and of markets are proposed, and mixed by the nodes of a cluster', async () => {
  await using ledger = await aLedger();
  const spot = { id: 'spot', market: 'spot', coreSecond: '0.0004', gibSecond: '0' };
  const markets = [{ cluster: 'yarn-1', market: 'spot', onDemandNodes: 1, nodes: 4 }];
  const mixed = await replayed(ledger, { tariff: { rateCards: [spot], markets } });
  assert.deepEqual(rowsOf(mixed), [
    ['etl', '36', '19.8', '-45.00'],
    ['ml', '9', '4.95', '-45.00'],
  ]);
  assert.deepEqual(mixed.changed, ['rateCards', 'markets']);
  const unused = await replayed(ledger, { tariff: { rateCards: [spot] } });
  assert.equal(unused.total.difference, '0', 'a market that no cluster is on');
  const pool = { id: 'cpu-2', pool: 'default', coreSecond: '0.002', gibSecond: '0' };
  const ofPool = await replayed(ledger, { tariff: { rateCards: [pool] } });
  assert.deepEqual(rowsOf(ofPool)[0], ['etl', '36', '72', '100.00']);
});

test('a price that was promised is kept under another card and another price', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  const why = { end: undefined, ruleVersion: 'test', reason: 'load', inputs: '{}' };
  const dear = { id: 'dear', pool: 'default', step: 3_000, start: T0 - HOUR_MS, ...why };
  await ledger.priceWriter.announce(dear, T0 - 2 * HOUR_MS);
  const promise = { id: 'q1', project: ETL, pool: 'default', step: 1_500, start: T0 };
  const kept = { ...promise, end: T0 + HOUR_MS, application: 'a', quotedBy: 'test' };
  await ledger.quotes.keep(kept, 1);
  const facts = [ETL, ML].flatMap((project) => {
    const ref = { application: project, container: `${project}/c` };
    const resources = { millicores: 1_000, memoryMib: 0, gpus: 0 };
    const tags = { [QUOTE_TAG]: 'q1' };
    return [
      applicationFact('application-seen', T0, { application: project, project, tags }),
      containerFact('container-started', T0, { ...ref, resources }),
      containerFact('container-stopped', T0 + 2 * HOUR_MS, ref),
    ];
  });
  await settleFacts(ledger, facts, END, CONFIG);
  const same = await replayed(ledger, { tariff: { rateCard: { id: 'same' } } });
  // An hour at 1.50 X and one at 3.00 X; the promise was another project's.
  assert.deepEqual(rowsOf(same), [
    ['etl', '16.2', '16.2', '0.00'],
    ['ml', '21.6', '21.6', '0.00'],
  ]);
  const twice = await replayed(ledger, { tariff: { rateCard: { coreSecond: '0.002' } } });
  assert.deepEqual(rowsOf(twice)[0], ['etl', '16.2', '32.4', '100.00']);
  const flat = await replayed(ledger, { tariff: { price: { frozen: true } } });
  assert.deepEqual(rowsOf(flat)[0], ['etl', '16.2', '16.2', '0.00'], 'frozen as it was');
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
  assert.deepEqual(await refusal({ rateCards: {} }), ['body.tariff.rateCards']);
  assert.deepEqual(await refusal({ rateCardz: {} }), ['body.tariff', 'body.tariff.rateCardz']);
  assert.deepEqual(
    await refusal({
      rateCards: [
        { id: 'plain', pool: 'gpu' },
        { id: 'b', market: 'spot', rule: 'dominant' },
      ],
      markets: [{ cluster: 'yarn-1', market: 'spot', onDemandNodes: 3, nodes: 2 }],
    }),
    [
      'body.tariff.markets.0.onDemandNodes',
      'body.tariff.rateCards.0.id',
      'body.tariff.rateCards.0.pool',
      'body.tariff.rateCards.1.rule',
    ],
    'what contradicts the configuration',
  );
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
