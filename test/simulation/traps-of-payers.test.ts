import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WITNESSES } from '../../shared/contracts/container-fact.ts';
import { nodeIntervals } from '../../shared/intervals/node-life.ts';
import { DEFAULT_TRUST } from '../../shared/intervals/witness-trust.ts';
import { clusterIdle } from '../../shared/rating/cluster-idle.ts';
import { HOUR_MS, MINUTE_MS, utcHour } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { applicationFact, containerFact, SMALL, T0 } from '../support/fact-builders.ts';
import { allCharges } from '../support/metering-run.ts';
import {
  ETL,
  meterAt,
  netAmount,
  netMs,
  seen,
  sight,
  started,
  stopAt,
  WINDOW,
} from '../support/trap-meter.ts';

// Each test bears the name of a row of the reference's table of accuracy traps, where it has one.

test('Never-run containers', async () => {
  const granted = { witness: 'yarn' } as const;
  const facts = [
    seen,
    started,
    stopAt(T0 + 60_000),
    containerFact('container-started', T0, { container: 'unused', ...granted }),
    stopAt(T0 + 4_000, { container: 'unused', ...granted, reason: 'exit status 0' }),
    applicationFact('application-ended', T0 + 60_000),
  ];
  for (const [neverRun, ms, outcome] of [
    ['charge', 64_000, undefined],
    ['free', 64_000, 'never-run 0'],
  ] as const) {
    await using run = await meterAt(T0 + HOUR_MS, { outcomes: { neverRun } });
    await using other = await meterAt(T0 + HOUR_MS, { outcomes: { neverRun } });
    await run.tell(facts);
    for (const fact of facts.toReversed()) await other.tell([fact]);
    for (const fact of facts) await other.tell([fact]);
    assert.equal(await netMs(run), ms, 'what was held is told, whatever it costs');
    const unused = (await allCharges(run.ledger)).filter((row) => row.container === 'unused');
    assert.deepEqual(
      unused.map((row) => [row.outcome, row.amount === 0n]),
      [[outcome, outcome !== undefined]],
    );
    assert.equal(await netAmount(other), await netAmount(run), 'in any order');
    const told = await run.ledger.ledgerReader.outcomes(ETL, 'yarn-1', 'app-1');
    assert.deepEqual(
      told.map((one) => [one.outcome, one.containerMs]),
      [
        ['', 60_000n],
        ['never-run', 4_000n],
      ],
      'and apart',
    );
  }
});

test('Preempted work', async () => {
  const reason = 'Container container_1 on host: h1 was preempted.';
  const amounts: bigint[] = [];
  for (const preempted of ['charge', 40, 'free'] as const) {
    await using run = await meterAt(T0, { outcomes: { preempted } });
    await run.tell([seen, started], [sight(T0 + 90 * MINUTE_MS)]);
    await run.clock.advance(90 * MINUTE_MS);
    await run.tell([stopAt(T0 + 100 * MINUTE_MS, { reason })]);
    await run.clock.advance(HOUR_MS);
    await run.metering.settleNow();
    assert.equal(await netMs(run), 100 * MINUTE_MS);
    amounts.push(await netAmount(run));
    const [told] = await run.ledger.ledgerReader.outcomes(ETL, 'yarn-1', 'app-1');
    assert.equal(told?.outcome, 'preempted');
  }
  const [full = 0n, discounted, free] = amounts;
  assert.ok(full > 0n);
  assert.deepEqual([discounted, free], [(full * 60n) / 100n, 0n], 'for its whole life');
});

test('Retried app attempts, AM restart', async () => {
  await using run = await meterAt(T0 + HOUR_MS, { outcomes: { applicationMaster: 'free' } });
  const master = { container: 'am1', role: 'application-master' } as const;
  await run.tell([
    seen,
    containerFact('container-started', T0, master),
    stopAt(T0 + 1_000, master),
    started,
    stopAt(T0 + 2_000),
  ]);
  const second = { attempt: '2', container: 'c2' };
  await run.tell([
    applicationFact('application-seen', T0 + 3_000, { attempt: '2' }),
    containerFact('container-started', T0 + 3_000, second),
    stopAt(T0 + 7_000, second),
  ]);
  const told = await run.ledger.ledgerReader.outcomes(ETL, 'yarn-1', 'app-1');
  assert.deepEqual(
    told.map((one) => [one.outcome, one.attempt, one.containerMs, one.charged > 0n]),
    [
      ['', '2', 4_000n, true],
      ['application-master', '1', 1_000n, false],
      ['retried-attempt', '1', 2_000n, true],
    ],
    'one application, its attempts visible',
  );
});

test('Tag changed mid-run', async () => {
  await using run = await meterAt(T0 + 3 * HOUR_MS);
  await run.tell([{ ...seen, id: 'seen/1' }, started], [sight(T0 + HOUR_MS)]);
  const before = await allCharges(run.ledger);
  const later = { id: 'seen/2', tags: { stage: 'test' } };
  await run.tell([
    applicationFact('application-seen', T0 + HOUR_MS, later),
    stopAt(T0 + 2 * HOUR_MS),
  ]);
  const after = await allCharges(run.ledger);
  assert.deepEqual(after.slice(0, before.length), before, 'earlier rows stand');
  assert.ok(after.every(({ tags }) => tags === '{"stage":"prod"}'));
});

test('Project renamed / deleted', async () => {
  await using run = await meterAt(T0 + HOUR_MS);
  await run.tell([started, stopAt(T0 + 5_000)]);
  const bucket = await run.ledger.ledgerReader.balance('unattributed' as ProjectId);
  assert.ok((bucket?.charged ?? 0n) > 0n, 'a container of nobody is charged to nobody, visibly');
  await run.tell([seen]);
  const owner = await run.ledger.ledgerReader.balance(ETL);
  assert.equal(owner?.charged, bucket?.charged);
  const empty = await run.ledger.ledgerReader.balance('unattributed' as ProjectId);
  assert.equal(empty?.charged, 0n);
});

test('Idle shared evenly: idle is nodes − containers by time and size, through the meter', async () => {
  const turn = T0 + HOUR_MS;
  const near = fc.integer({ min: -40, max: 40 }).map((ms) => turn + ms);
  const span = fc.record({ a: near, b: near, cores: fc.nat(4) });
  await fc.assert(
    fc.asyncProperty(fc.array(span, { maxLength: 4 }), near, near, async (spans, up, down) => {
      await using run = await meterAt(T0 + 3 * HOUR_MS);
      const size = (cores: number) => ({ ...SMALL, millicores: cores * 1_000 });
      const node = { cluster: 'yarn-1', witness: 'yarn', node: 'n1', market: 'unknown' } as const;
      const capacity = size(9);
      await run.tell([
        seen,
        { ...node, kind: 'node-started', id: 'up', at: up, capacity },
        { ...node, kind: 'node-stopped', id: 'down', at: down, capacity },
        ...spans.flatMap(({ a, b, cores }, i) => {
          const container = `c${i}`;
          return [
            containerFact('container-started', a, { container, resources: size(cores) }),
            containerFact('container-stopped', b, { container }),
          ];
        }),
      ]);
      const window = { from: T0, until: T0 + 2 * HOUR_MS };
      const { facts } = await run.ledger.journalReader.nodeFacts('yarn-1', window.until);
      const uses = await run.ledger.ledgerReader.clusterUse('yarn-1', window);
      const hours = clusterIdle(nodeIntervals(facts, window.until), uses, {
        start: window.from,
        end: window.until,
      });
      for (const { hour, idle } of hours) {
        let expected = 0;
        for (let at = turn - 40; at < window.until && at < turn + 40; at += 1) {
          if (utcHour(at) !== hour) continue;
          if (down > up ? at >= up && at < down : at >= up) expected += 9_000;
          for (const { a, b, cores } of spans) if (at >= a && at < b) expected -= cores * 1_000;
        }
        // A node that nobody stopped was there for the rest of what is known.
        if (down <= up && hour === turn) expected += (window.until - turn - 40) * 9_000;
        assert.equal(Number(idle.millicoreMs), expected);
      }
    }),
    { numRuns: 40 },
  );
});

test('a project that may not be used is not charged: unattributed, listed and counted', async () => {
  await using run = await meterAt(T0 + HOUR_MS);
  const refused = { project: 'unattributed' as ProjectId, rule: 0, claimed: 'payments' };
  const byManager = { witness: 'yarn', rule: 3, project: ETL } as const;
  await run.tell([
    applicationFact('application-seen', T0, refused),
    applicationFact('application-seen', T0, byManager),
    started,
    stopAt(T0 + 5_000),
  ]);
  const nobody = await run.ledger.ledgerReader.balance('unattributed' as ProjectId);
  assert.ok((nobody?.charged ?? 0n) > 0n);
  const payments = await run.ledger.ledgerReader.balance('payments' as ProjectId);
  assert.equal(payments, undefined);
  const list = await run.ledger.ledgerReader.anomalies('unattributed' as ProjectId, WINDOW, {
    limit: 9,
    anomaly: 'project-not-allowed',
  });
  assert.deepEqual(
    list.anomalies.map(({ detail }) => JSON.parse(detail)),
    [{ claimed: 'payments', user: 'alice', queue: 'root.etl' }],
  );
  const counted = [...run.metrics.values('tollgate_metering_anomalies_total')];
  assert.deepEqual(
    counted.map(([labels, count]) => [labels.includes('project-not-allowed'), count]),
    [[true, 1]],
    'what an alert is built on',
  );
});

test('the order of trust is configured', async () => {
  for (const [trust, ms] of [
    [undefined, 5_000],
    [['yarn'], 6_000],
  ] as const) {
    await using run = await meterAt(T0 + HOUR_MS, {
      ...(trust === undefined ? {} : { trust: [...trust] }),
    });
    await run.tell([
      seen,
      started,
      stopAt(T0 + 5_000),
      containerFact('container-started', T0, { witness: 'yarn' }),
      stopAt(T0 + 6_000, { witness: 'yarn' }),
    ]);
    assert.equal(await netMs(run), ms);
  }
  assert.deepEqual([...DEFAULT_TRUST].sort(), [...WITNESSES].sort(), 'every witness has a place');
});
