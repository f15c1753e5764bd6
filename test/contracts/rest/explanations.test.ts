import assert from 'node:assert/strict';
import test from 'node:test';
import { outcomePolicyOf } from '../../../services/metering/config.ts';
import { restCharges } from '../../../shared/contracts/rest.ts';
import {
  type RestExplanation,
  restExplanation,
} from '../../../shared/contracts/rest-explanation.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import { parseCredits } from '../../../shared/values/money.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { AskingApi } from '../../support/asking-api.ts';
import { EXPLAINED_FACTS, EXPLAINED_START, explainedApi } from '../../support/explained-api.ts';
import { applicationFact, containerFact, T0 } from '../../support/fact-builders.ts';
import { meteringOptions } from '../../support/metering-run.ts';
import { settleFacts } from '../../support/settle-facts.ts';

const explain = (api: AskingApi, id: string, query = ''): Promise<RestExplanation> =>
  api.get(`/v1/projects/etl/explanations/${encodeURIComponent(id)}${query}`, restExplanation);

const rowsOf = async (api: AskingApi) =>
  (await api.get('/v1/projects/etl/charges?from=-7d', restCharges)).charges;

test('a charge is explained from its facts to its amount, and computed again', async () => {
  await using api = await explainedApi();
  const rows = await rowsOf(api);
  assert.deepEqual(
    rows.map(({ multiplier }) => multiplier),
    ['1.00', '1.15', '1.10'],
  );
  const [, row] = rows;
  const told = await explain(api, row?.id ?? '');
  assert.equal(told.kind, 'charge');
  assert.equal(told.standing, 'in-force');
  const { verdict } = told;
  const units = (parseCredits(row?.amount ?? '') ?? 0n).toLocaleString('en-US');
  assert.deepEqual(verdict, {
    recomputed: row?.amount,
    ledger: row?.amount,
    equal: true,
    message: `recomputed ${units} nanocredits = ledger`,
  });
  const [container] = told.containers;
  const [line, ...others] = container?.lines ?? [];
  assert.equal(others.length, 0, 'one line alone');
  assert.deepEqual(
    line?.pieces.map(({ start, epoch }) => [start, epoch]),
    [['2026-11-21T06:30:00.000Z', told.epochs[0]?.id]],
  );
  assert.deepEqual(told.epochs[0]?.inputs, { share: 0.93, target: 1.14 });
  // 4 cores × 1,800 s × 0.0009 × 1.15, in nanocredits.
  assert.equal(line?.products[0]?.exact, '7452000000');
  assert.deepEqual(
    line?.rows.map(({ id, type }) => [id, type]),
    [[row?.id, 'ORIGINAL']],
  );
});

test('every witness is named, with which was believed, and why', async () => {
  await using api = await explainedApi();
  const [row] = await rowsOf(api);
  const { containers, application } = await explain(api, row?.id ?? '');
  assert.deepEqual(
    containers[0]?.facts.map(({ witness, kind, decides, why }) => [witness, kind, decides, why]),
    [
      [
        'event-log',
        'container-started',
        ['start', 'resources'],
        'the earliest start of any witness; its size from here on',
      ],
      ['yarn', 'container-started', [], 'later than the earliest start (0.4 s apart)'],
      ['event-log', 'container-resized', ['resources'], 'its size from here on'],
      ['event-log', 'container-stopped', ['end'], 'of event-log, yarn, event-log is trusted most'],
      ['yarn', 'container-stopped', [], 'event-log is trusted more (0.4 s apart)'],
    ],
  );
  assert.equal(containers[0]?.why, 'its stop was seen by event-log');
  assert.deepEqual(
    application.attribution.map(({ project, rule, decides }) => [project, rule, decides]),
    [['etl', 1, true]],
  );
});

test('an application is explained container by container, in pages that add up', async () => {
  await using api = await explainedApi();
  const more = ['c2', 'c3'].flatMap((container) => [
    containerFact('container-started', EXPLAINED_START, { container }),
    containerFact('container-stopped', EXPLAINED_START + HOUR_MS, { container }),
  ]);
  await settleFacts(api.stores, more, T0);
  const names: string[] = [];
  let total = 0n;
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: RestExplanation = await explain(
      api,
      'app-1',
      `?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    assert.equal(page.verdict.equal, true, page.verdict.message);
    names.push(...page.containers.map(({ container }) => container));
    total += parseCredits(page.verdict.recomputed) ?? 0n;
    cursor = page.cursor;
    if (cursor === null) assert.equal(total, parseCredits(page.application.charged));
  }
  assert.deepEqual(names, ['c1', 'c2', 'c3']);
});

test('a late fact that is not settled yet is a difference with a name', async () => {
  await using api = await explainedApi();
  const earlier = containerFact('container-stopped', EXPLAINED_START + 40 * MINUTE_MS);
  const batch = { facts: [earlier], evidence: [], activity: [], checkpoints: [] };
  await api.stores.journalWriter.record(batch, T0);
  const told = await explain(api, 'app-1');
  assert.equal(told.verdict.equal, false);
  assert.match(told.verdict.message, /^recomputed [\d,]+ nanocredits, the ledger has [\d,]+ \(dif/);
  const lines = told.containers[0]?.lines ?? [];
  assert.deepEqual(
    lines.map(({ differences }) => differences.length > 0),
    [false, true, true],
  );
  assert.match(lines[1]?.differences.join(' ') ?? '', /container-ms: the ledger has 1800000, /);
  assert.deepEqual(lines[2]?.differences, [
    'the facts no longer tell of it: the row is to be retracted',
  ]);
  const alone = await explain(api, lines[1]?.rows[0]?.id ?? '');
  assert.deepEqual([alone.standing, alone.verdict.equal], ['in-force', false]);
  assert.match(alone.verdict.message, /the ledger has 50,064,890,625 \(difference -/);
});

test('rows that were superseded are explained by what was known when they were written', async () => {
  await using api = await explainedApi();
  const earlier = containerFact('container-stopped', EXPLAINED_START + 40 * MINUTE_MS);
  await settleFacts(api.stores, [earlier], T0 + MINUTE_MS);
  const rows = await rowsOf(api);
  assert.deepEqual(
    rows.map(({ type }) => type),
    ['ORIGINAL', 'ORIGINAL', 'RETRACTION', 'RESTATEMENT', 'ORIGINAL', 'RETRACTION'],
  );
  const standings = [];
  for (const { id, amount } of rows) {
    const { standing, verdict } = await explain(api, id);
    assert.equal(verdict.equal, true, `${id}: ${verdict.message}`);
    assert.equal(verdict.ledger, amount);
    standings.push(standing);
  }
  assert.deepEqual(standings, [
    'in-force',
    'superseded',
    'retraction',
    'in-force',
    'superseded',
    'retraction',
  ]);
});

test('a container that pays a part of the price says why, and its products tell how much', async () => {
  await using api = await explainedApi();
  const config = meteringOptions({ outcomes: { preempted: 50 } });
  const rules = api.deps.metering as { outcomePolicy: object };
  rules.outcomePolicy = outcomePolicyOf(config);
  const ref = { application: 'app-2', container: 'p1' };
  const stop = EXPLAINED_START + HOUR_MS / 2;
  const facts = [
    applicationFact('application-seen', EXPLAINED_START, { application: 'app-2' }),
    containerFact('container-started', EXPLAINED_START, ref),
    containerFact('container-stopped', stop, {
      ...ref,
      reason: 'Container preempted by scheduler',
    }),
  ];
  await settleFacts(api.stores, facts, T0, config);
  const { containers, verdict } = await explain(api, 'app-2');
  assert.equal(verdict.equal, true, verdict.message);
  assert.equal(containers[0]?.outcome, 'preempted 50');
  // 2 cores × 1,800 s × 0.0009, halved, in nanocredits.
  assert.equal(containers[0]?.lines[0]?.products[0]?.exact, '1620000000');
});

test('what belongs to another project, or is nowhere, is the same 404', async () => {
  await using api = await explainedApi();
  await api.stores.grants.register('ml' as ProjectId);
  const [row] = await rowsOf(api);
  const details = new Set<string>();
  for (const id of [row?.id ?? '', 'app-1', 'nothing', '00000.x.1000.000', '%00']) {
    const path = `/v1/projects/ml/explanations/${encodeURIComponent(id)}`;
    const problem = await api.problem(api.ask(path));
    assert.equal(problem.status, 404, id);
    details.add(problem.detail);
  }
  assert.deepEqual([...details], ['project ml has no such charge or application']);
  const unknown = await api.problem(api.ask('/v1/projects/none/explanations/app-1'));
  assert.equal(unknown.code, 'NOT_FOUND');
});

test('of an application on two clusters one must be chosen', async () => {
  await using api = await explainedApi();
  await settleFacts(
    api.stores,
    EXPLAINED_FACTS.map((fact) => ({ ...fact, cluster: 'yarn-2' })),
    T0,
  );
  const problem = await api.problem(api.ask('/v1/projects/etl/explanations/app-1'));
  assert.deepEqual(problem.errors, [
    {
      path: 'query.cluster',
      message: 'the application is on several clusters; choose of: yarn-1, yarn-2',
    },
  ]);
  assert.equal((await explain(api, 'app-1', '?cluster=yarn-2')).application.cluster, 'yarn-2');
});

test('an application that moved to another project is a stranger, and its old rows stay explained', async () => {
  await using api = await explainedApi();
  const [row] = await rowsOf(api);
  const moved = applicationFact('application-seen', EXPLAINED_START, {
    rule: 0,
    project: 'ml' as ProjectId,
  });
  await settleFacts(api.stores, [{ ...moved, id: 'moved' }], T0 + MINUTE_MS);
  const told = await explain(api, row?.id ?? '');
  assert.deepEqual([told.standing, told.verdict.equal], ['superseded', true]);
  assert.equal((await api.problem(api.ask('/v1/projects/etl/explanations/app-1'))).status, 404);
  const theirs = await api.get('/v1/projects/ml/explanations/app-1', restExplanation);
  assert.equal(theirs.verdict.equal, true);
  assert.deepEqual(
    theirs.application.attribution.map(({ project, decides }) => [project, decides]),
    [
      [null, false],
      ['ml', true],
    ],
  );
});
