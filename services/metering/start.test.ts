import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors/app-error.ts';
import { openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { applicationFact, containerFact, loadFact, T0 } from '../../test/support/fact-builders.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import {
  allCharges,
  meteringOptions,
  meteringStores,
  netCharges,
  runMetering,
} from '../../test/support/metering-run.ts';
import { startMetering } from './start.ts';

const ETL = 'etl' as ProjectId;
/** 2 cores and 4 GiB for a second at the base price. */
const PER_SECOND = 2_200_000n;
/** Hours pass in few steps. */
const SELDOM = { settleIntervalMs: 30_000 };
const GRANT = { projects: [{ id: 'etl', grants: [{ id: 'g1', credits: '100' }] }] };

test('a job of 1,000 cores is in the balance within 15 s of its start, without a call', async () => {
  await using run = await runMetering(T0, GRANT);
  const size = { millicores: 1_000_000, memoryMib: 0, gpus: 0 };
  const start = containerFact('container-started', T0, { resources: size });
  const batch = { evidence: [], activity: [], checkpoints: [] };
  const facts = [start, applicationFact('application-seen', T0)];
  await run.ledger.journalWriter.record({ ...batch, facts }, T0 + 1_000);
  // The cluster is polled every 5 s.
  for (let s = 5; s <= 15; s += 5) {
    await run.clock.advance(5_000);
    const seen = { cluster: 'yarn-1', container: 'c1', until: T0 + s * 1_000 };
    const known = { ...batch, facts: [], evidence: [seen] };
    await run.ledger.journalWriter.record(known, T0 + s * 1_000);
  }
  const balance = await run.ledger.ledgerReader.balance(ETL);
  // Ten seconds at 0.9 credits; what came at the fifteenth isn't settled yet.
  assert.equal(balance?.accrued, 9_000_000_000n);
  assert.equal(balance?.perHour, 3_240_000_000_000n);
  assert.equal(balance?.granted, 100_000_000_000n);
  assert.ok((balance?.asOf ?? 0) > T0 + 10_000);
});

test('a container is charged by the hour while it runs, and its rest when it stops', async () => {
  await using run = await runMetering(T0, SELDOM);
  await run.tell([containerFact('container-started', T0), applicationFact('application-seen', T0)]);
  await run.clock.advance(90 * MINUTE_MS);
  const until = T0 + 90 * MINUTE_MS;
  await run.tell([], [{ cluster: 'yarn-1', container: 'c1', until }]);
  await run.clock.advance(30_000);
  let balance = await run.ledger.ledgerReader.balance(ETL);
  assert.deepEqual(
    [balance?.charged, balance?.accrued],
    [PER_SECOND * 3_600n, PER_SECOND * 1_800n],
  );
  await run.tell([containerFact('container-stopped', until + 1_000)]);
  balance = await run.ledger.ledgerReader.balance(ETL);
  assert.deepEqual([balance?.charged, balance?.accrued], [PER_SECOND * 5_401n, 0n]);
  const types = (await allCharges(run.ledger)).map(({ type }) => type);
  assert.deepEqual(types, ['ORIGINAL', 'ORIGINAL']);
});

test('a lost container is closed after the lease, and its late stop corrects the charge', async () => {
  await using run = await runMetering(T0 + 1_000, SELDOM);
  await run.tell(
    [containerFact('container-started', T0), applicationFact('application-seen', T0)],
    [{ cluster: 'yarn-1', container: 'c1', until: T0 + 1_000 }],
  );
  await run.clock.advance(11 * MINUTE_MS);
  const inferred = await allCharges(run.ledger);
  assert.deepEqual(
    inferred.map(({ type, amount, coverage }) => [type, amount, coverage]),
    [['ORIGINAL', PER_SECOND, 'inferred']],
  );
  await run.tell([containerFact('container-stopped', T0 + 3_000)]);
  assert.deepEqual(
    (await allCharges(run.ledger)).map(({ type, amount }) => [type, amount]),
    [
      ['ORIGINAL', PER_SECOND],
      ['RETRACTION', -PER_SECOND],
      ['RESTATEMENT', PER_SECOND * 3n],
    ],
  );
  assert.equal((await run.ledger.ledgerReader.balance(ETL))?.charged, PER_SECOND * 3n);
});

test('evidence after the lease opens a container again', async () => {
  await using run = await runMetering(T0, SELDOM);
  const evidence = (until: number) => ({ cluster: 'yarn-1', container: 'c1', until });
  await run.tell([containerFact('container-started', T0)], [evidence(T0 + 1_000)]);
  await run.clock.advance(11 * MINUTE_MS);
  assert.equal((await allCharges(run.ledger)).length, 1);
  await run.tell([], [evidence(T0 + 11 * MINUTE_MS)]);
  assert.deepEqual(netCharges(await allCharges(run.ledger)), []);
  const balance = await run.ledger.ledgerReader.balance('unattributed' as ProjectId);
  assert.deepEqual([balance?.charged, balance?.accrued], [0n, PER_SECOND * 660n]);
});

test('charges move to the right project when it becomes known', async () => {
  await using run = await runMetering(T0 + HOUR_MS);
  await run.tell([
    containerFact('container-started', T0),
    containerFact('container-stopped', T0 + 1_000),
  ]);
  const nobody = 'unattributed' as ProjectId;
  assert.equal((await run.ledger.ledgerReader.balance(nobody))?.charged, PER_SECOND);
  await run.tell([applicationFact('application-seen', T0, { tags: { stage: 'prod' } })]);
  assert.equal((await run.ledger.ledgerReader.balance(nobody))?.charged, 0n);
  assert.equal((await run.ledger.ledgerReader.balance(ETL))?.charged, PER_SECOND);
  assert.equal((await allCharges(run.ledger)).at(-1)?.tags, '{"stage":"prod"}');
});

test('the end of an application closes what has no stop of its own', async () => {
  await using run = await runMetering(T0 + MINUTE_MS);
  await run.tell([containerFact('container-started', T0), applicationFact('application-seen', T0)]);
  await run.tell([applicationFact('application-ended', T0 + 2_000)]);
  const view = await run.ledger.ledgerReader.application(ETL, 'yarn-1', 'app-1');
  assert.deepEqual(
    [view?.state, view?.end, view?.charged, view?.coverage],
    ['ended', T0 + 2_000, PER_SECOND * 2n, 'inferred'],
  );
});

test('what is journaled and not charged is counted, once', async () => {
  await using run = await runMetering(T0 + HOUR_MS);
  await run.tell([containerFact('container-stopped', T0)]);
  await run.tell([containerFact('container-started', T0 + 1)]);
  await run.metering.settleNow();
  const counted = run.metrics.values('tollgate_metering_anomalies_total');
  assert.deepEqual([...counted], [['{reason="stop-without-start"}', 1]]);
  assert.deepEqual(await allCharges(run.ledger), []);
});

test('the price follows the load, and what is used later pays it', async () => {
  await using run = await runMetering(T0, SELDOM);
  for (let minute = 0; minute < 20; minute += 1) {
    const at = T0 + minute * MINUTE_MS;
    const loads = [0, 10, 20, 30, 40, 50].map((s) => loadFact(at + s * 1_000, 1));
    await run.tell(minute === 0 ? [containerFact('container-started', T0), ...loads] : loads);
    await run.clock.advance(MINUTE_MS);
  }
  const epochs = await run.ledger.priceWriter.epochs('default', T0, T0 + HOUR_MS);
  assert.deepEqual(
    epochs.slice(0, 3).map(({ step }) => step),
    [1_000, 1_100, 1_200],
  );
  const end = (epochs[1]?.start ?? 0) + 10_000;
  await run.tell([containerFact('container-stopped', end)]);
  const charges = await allCharges(run.ledger);
  assert.deepEqual(
    charges.map(({ step }) => step),
    [1_000, 1_100],
  );
  assert.equal(charges[1]?.amount, PER_SECOND * 11n);
});

test('a restarted meter goes on: configured grants count once, prices continue', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  const clock = new FakeClock(T0);
  const deps = {
    config: meteringOptions({ ...GRANT, ...SELDOM }),
    stores: meteringStores(ledger),
    clock,
    logger: silentLogger,
    metrics: new Metrics(),
  };
  for (let round = 0; round < 3; round += 1) {
    await using metering = await startMetering(deps);
    await metering.settleNow();
    await clock.advance(10 * MINUTE_MS);
  }
  assert.equal((await ledger.ledgerReader.balance(ETL))?.granted, 100_000_000_000n);
  assert.deepEqual(await ledger.ledgerReader.projects(), ['etl', 'unattributed']);
  const epochs = await ledger.priceWriter.epochs('default', T0, T0 + HOUR_MS);
  assert.deepEqual(
    epochs.map(({ reason }) => reason),
    ['first'],
  );
});

/** A ledger in memory that can be away, under a meter that draws the longest waits. */
async function meterOnFailingLedger() {
  await using resources = new AsyncDisposableStack();
  const ledger = resources.use(await openLedger({ file: ':memory:' }));
  const clock = new FakeClock(T0);
  const metrics = new Metrics();
  const stores = meteringStores(ledger);
  const world = { broken: true, askedAt: T0 };
  const due: typeof stores.ledger.due = async (...asked) => {
    world.askedAt = clock.now();
    if (world.broken) throw new AppError('STORE_UNAVAILABLE', 'the ledger does not answer');
    return stores.ledger.due(...asked);
  };
  const failing = new Proxy(stores.ledger, {
    get: (target, name) => {
      if (name === 'due') return due;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const said: unknown[] = [];
  const logger = { ...silentLogger, error: (...words: unknown[]) => void said.push(words[1]) };
  const metering = resources.use(
    await startMetering({
      config: meteringOptions(),
      stores: { ...stores, ledger: failing },
      clock,
      logger: logger as typeof silentLogger,
      metrics,
      random: () => 1,
    }),
  );
  const open = resources.move();
  const close = (): Promise<void> => open.disposeAsync();
  return { ledger, clock, metrics, metering, world, said, [Symbol.asyncDispose]: close };
}

test('a store that fails is said, counted, and tried again', async () => {
  await using run = await meterOnFailingLedger();
  const { ledger, clock, metrics, said } = run;
  await clock.advance(2_000);
  assert.ok(said.length >= 1);
  assert.match(`${said[0]}`, /does not answer/);
  assert.ok((metrics.values('tollgate_metering_failures_total').get('') ?? 0) >= 1);
  run.world.broken = false;
  await run.metering.settleNow();
  await clock.advance(20_000);
  assert.ok(((await ledger.ledgerReader.balance('unattributed' as ProjectId))?.asOf ?? 0) >= T0);
});

test('a store that was away for an hour is asked again soon after', async () => {
  await using run = await meterOnFailingLedger();
  let longest = 0;
  for (let askedAt = T0; run.clock.now() < T0 + HOUR_MS; askedAt = run.world.askedAt) {
    await run.clock.advance(1_000);
    longest = Math.max(longest, run.world.askedAt - askedAt);
  }
  assert.ok(longest > 0 && longest <= 12_000, `${longest} ms`);
});
