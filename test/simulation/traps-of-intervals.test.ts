import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerFact } from '../../shared/contracts/container-fact.ts';
import { DEFAULT_TRUST } from '../../shared/intervals/witness-trust.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, utcHour } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { applicationFact, containerFact, SMALL, T0 } from '../support/fact-builders.ts';
import { allCharges, type MeteringRun, runMetering } from '../support/metering-run.ts';

// Each test bears the name of a row of the reference's table of accuracy traps.

const ETL = 'etl' as ProjectId;
const seen = applicationFact('application-seen', T0 - 1_000);
const started = containerFact('container-started', T0);
const stopAt = (at: number, more: Partial<ContainerFact> = {}): ContainerFact =>
  containerFact('container-stopped', at, more);
const sight = (until: number) => ({ cluster: 'yarn-1', container: 'c1', until });
const WINDOW = { from: T0 - 400 * DAY_MS, until: T0 + 400 * DAY_MS };

/** Settles when it is told something, and no more often than it must: a test may pass years. */
function meterAt(
  now: number,
  options: Parameters<typeof runMetering>[1] = {},
): Promise<MeteringRun> {
  return runMetering(now, { settleIntervalMs: DAY_MS, ...options });
}

/** Net container-milliseconds of the ledger. */
async function netMs(run: MeteringRun, container?: string): Promise<number> {
  const rows = await allCharges(run.ledger);
  const mine = rows.filter((row) => container === undefined || row.container === container);
  return Number(mine.reduce((sum, { quantity }) => sum + quantity.containerMs, 0n));
}

async function netAmount(run: MeteringRun): Promise<bigint> {
  return (await allCharges(run.ledger)).reduce((sum, { amount }) => sum + amount, 0n);
}

async function anomalies(run: MeteringRun, project: ProjectId = ETL) {
  const page = await run.ledger.ledgerReader.anomalies(project, WINDOW, { limit: 99 });
  return page.anomalies.map(({ anomaly, container }) => `${anomaly} ${container}`);
}

test('Clock skew between hosts', async () => {
  for (const skew of [-5 * MINUTE_MS, 5 * MINUTE_MS]) {
    await using run = await meterAt(T0 + HOUR_MS);
    const byManager = { witness: 'yarn' } as const;
    for (let i = 0; i < 5; i += 1) {
      const container = `c${i}`;
      await run.tell([
        seen,
        containerFact('container-started', T0 + i, { container }),
        containerFact('container-started', T0 + i + skew, { container, ...byManager }),
        stopAt(T0 + 60_000 + i, { container }),
        stopAt(T0 + 60_000 + i + skew, { container, ...byManager }),
      ]);
    }
    assert.equal(await netMs(run), 5 * 60_000, 'a duration is of one clock');
    const pairs = await run.ledger.ledgerReader.clockPairs('yarn-1');
    assert.deepEqual(new Set(pairs.flatMap((p) => [p.startMs, p.stopMs])), new Set([skew]));
    const told = await anomalies(run);
    const ofOne = told.filter((one) => one.endsWith(' c0'));
    assert.deepEqual(ofOne, ['witnesses-disagree c0', 'witnesses-disagree c0'], 'start and stop');
  }
});

test('Clock steps back / leap', async () => {
  await using run = await meterAt(T0 + HOUR_MS);
  await run.tell([seen, started, stopAt(T0 - 3_000)]);
  assert.equal(await netMs(run), 0, 'no refund');
  assert.deepEqual(await anomalies(run), ['stop-before-start c1']);
  await run.tell([stopAt(T0 + 5_000)]);
  assert.equal(await netMs(run), 5_000);
});

test('Duplicate events', async () => {
  await using run = await meterAt(T0 + HOUR_MS);
  const facts = [seen, started, stopAt(T0 + 5_000)];
  await run.tell([...facts, ...facts]);
  const rows = await allCharges(run.ledger);
  await run.clock.advance(40 * DAY_MS);
  await run.tell(facts);
  assert.deepEqual(await allCharges(run.ledger), rows, 'for ever, not for a day');
});

test('Same id, other content', async () => {
  await using run = await meterAt(T0 + HOUR_MS);
  const first = stopAt(T0 + 5_000, { id: 'stop' });
  await run.tell([seen, started, first]);
  const { conflicts } = await run.ledger.journalWriter.record(
    { facts: [{ ...first, at: T0 + 9_000 }], evidence: [], activity: [], checkpoints: [] },
    run.clock.now(),
  );
  assert.equal(conflicts.length, 1, 'handed back, for the quarantine');
  await run.metering.settleNow();
  assert.equal(await netMs(run), 5_000);
});

test('Out of order (stop before start)', async () => {
  await using run = await meterAt(T0 + HOUR_MS);
  await run.tell([stopAt(T0 + 5_000)]);
  assert.deepEqual(await anomalies(run, 'unattributed' as ProjectId), ['stop-without-start c1']);
  await run.tell([seen]);
  await run.tell([started]);
  assert.equal(await netMs(run), 5_000);
  assert.deepEqual(await anomalies(run), [], 'what was wrong has gone');
});

test('Late stop', async () => {
  await using run = await meterAt(T0, { leaseMs: 10 * MINUTE_MS });
  await run.tell([seen, started], [sight(T0 + MINUTE_MS)]);
  await run.clock.advance(2 * HOUR_MS);
  await run.metering.settleNow();
  assert.equal(await netMs(run), MINUTE_MS, 'charged to its last sight');
  await run.tell([stopAt(T0 + 90_000)]);
  assert.equal(await netMs(run), 90_000, 'corrected when it is known');
  const [last] = (await allCharges(run.ledger)).slice(-1);
  assert.deepEqual([last?.type, last?.coverage], ['RESTATEMENT', 'exact']);
});

test('Lost stop', async () => {
  await using run = await meterAt(T0, { leaseMs: 10 * MINUTE_MS });
  await run.tell([seen, started], [sight(T0 + MINUTE_MS)]);
  await run.clock.advance(DAY_MS);
  await run.metering.settleNow();
  const rows = await allCharges(run.ledger);
  assert.deepEqual(
    rows.map(({ coverage }) => coverage),
    ['inferred'],
  );
  assert.equal(await netMs(run), MINUTE_MS);
  const balance = await run.ledger.ledgerReader.balance(ETL);
  assert.equal(balance?.inferred, balance?.charged);
});

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

test('Resize inside a slice', async () => {
  await using run = await meterAt(T0 + HOUR_MS);
  const resources = { ...SMALL, millicores: 2 * SMALL.millicores };
  const resized = containerFact('container-resized', T0 + 2_000, { resources });
  await run.tell([seen, started, resized, stopAt(T0 + 5_000)]);
  const rows = await allCharges(run.ledger);
  const cores = rows.reduce((sum, { quantity }) => sum + quantity.millicoreMs, 0n);
  assert.equal(cores, 2_000n * 2_000n + 3_000n * 4_000n);
});

test('Sampling floor', async () => {
  await using run = await meterAt(T0 + HOUR_MS);
  await run.tell([seen, started, stopAt(T0 + 1)]);
  assert.equal(await netMs(run), 1, 'a container of a millisecond costs one');
});

test('Minute rounding', async () => {
  await using run = await meterAt(T0 + HOUR_MS);
  await run.tell([seen, started, stopAt(T0 + 61_234)]);
  assert.equal(await netMs(run), 61_234);
});

test('Midnight / month boundary', async () => {
  const midnight = Date.UTC(2026, 11, 1);
  await using run = await meterAt(midnight + HOUR_MS);
  const begun = containerFact('container-started', midnight - 1);
  await run.tell([{ ...seen, at: midnight - 1 }, begun, stopAt(midnight + 2)]);
  assert.deepEqual(
    (await allCharges(run.ledger)).map(({ hour, quantity }) => [hour, quantity.containerMs]),
    [
      [midnight - HOUR_MS, 1n],
      [midnight, 2n],
    ],
  );
});

test('DST, local months', async () => {
  for (const [day, hours] of [
    [Date.UTC(2026, 2, 28, 23), 23],
    [Date.UTC(2026, 9, 24, 22), 25],
  ] as const) {
    const end = day + hours * HOUR_MS;
    await using run = await meterAt(end + HOUR_MS);
    const begun = containerFact('container-started', day);
    await run.tell([{ ...seen, at: day }, begun, stopAt(end)]);
    const rows = await allCharges(run.ledger);
    assert.equal(rows.length, hours, 'Berlin’s short and long day are as long as they were');
    assert.ok(rows.every(({ hour }) => hour === utcHour(hour)));
    assert.equal(await netMs(run), hours * HOUR_MS);
  }
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

test('Meter crash / failover: a new meter on the same ledger adds nothing', async () => {
  await using run = await meterAt(T0 + HOUR_MS);
  await run.tell([seen, started, stopAt(T0 + 5_000)]);
  const rows = await allCharges(run.ledger);
  await run.clock.advance(HOUR_MS);
  await run.metering.settleNow();
  assert.deepEqual(await allCharges(run.ledger), rows);
});

test('Estimates shown as facts', async () => {
  await using run = await meterAt(T0 + 2 * HOUR_MS);
  const until = T0 + HOUR_MS + 7 * MINUTE_MS;
  await run.tell([seen, started], [sight(until)]);
  const balance = await run.ledger.ledgerReader.balance(ETL);
  assert.ok(balance !== undefined && balance.accrued > 0n, 'what runs is estimated, and said so');
  assert.equal(balance.inferred, 0n);
  const [hour] = await run.ledger.ledgerReader.clusterUse('yarn-1', {
    from: T0 + HOUR_MS,
    until: T0 + 2 * HOUR_MS,
  });
  assert.deepEqual([hour?.provisional, hour?.quantity.containerMs], [true, 420_000n]);
});

test('an executor reported removed twice ends once', async () => {
  await using run = await meterAt(T0 + HOUR_MS);
  const again = stopAt(T0 + 9_000);
  const byAgent = stopAt(T0 + 5_001, { witness: 'agent' });
  await run.tell([seen, started, stopAt(T0 + 5_000), again]);
  assert.equal(await netMs(run), 5_000);
  await run.tell([byAgent]);
  assert.equal(await netMs(run), 5_001, 'and the more trusted of two within the tolerance');
});

test('liveness renews one row and is never a fact of the journal', async () => {
  await using run = await meterAt(T0 + HOUR_MS);
  await run.tell([seen, started]);
  const facts = await run.ledger.journalReader.factsAfter(0, 99);
  for (let i = 1; i <= 100; i += 1) {
    await run.tell([], [sight(T0 + i * 1_000)]);
  }
  assert.deepEqual(await run.ledger.journalReader.factsAfter(0, 99), facts);
  const records = await run.ledger.journalReader.containers([started]);
  const [record] = [...records.values()];
  assert.equal(record?.evidence, T0 + 100_000);
  assert.equal(record?.facts.length, 1);
  const [charge] = await allCharges(run.ledger);
  assert.equal(charge, undefined, 'and it charges nothing by itself');
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
  assert.equal(new Set(DEFAULT_TRUST).size, 5);
});
