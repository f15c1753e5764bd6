import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS, utcHour } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { containerFact, SMALL, T0 } from '../support/fact-builders.ts';
import { allCharges } from '../support/metering-run.ts';
import {
  anomalies,
  ETL,
  meterAt,
  netMs,
  seen,
  sight,
  started,
  stopAt,
} from '../support/trap-meter.ts';

// Each test bears the name of a row of the reference's table of accuracy traps, where it has one.

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
