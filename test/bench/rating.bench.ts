import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tariffOf } from '../../services/metering/config.ts';
import { Settler } from '../../services/metering/ledger/settler.ts';
import type { PriceEpoch } from '../../shared/contracts/charge.ts';
import type { ContainerFact } from '../../shared/contracts/container-fact.ts';
import { rateIntervals } from '../../shared/rating/rate-interval.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { type Ledger, openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { DEFAULT_RATE_CARD } from '../../shared/values/rate-card.ts';
import { containerFact, SMALL, T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import { meteringOptions, meteringStores } from '../support/metering-run.ts';
import { chargeByTicks, TICK_MS } from './support/tick-charging.ts';

const INTERVALS = 1_000_000;
const CONTAINERS = 20_000;
const CHECKS = 200_000;
/** Transactions by which charging tick by tick is measured. */
const TICKS = Number(process.env['BENCH_TICKS'] ?? 3_000);

/** A price that changes every 20 minutes, for a week. */
const EPOCHS: readonly PriceEpoch[] = Array.from({ length: 504 }, (_, i) => ({
  id: `e${i}`,
  pool: 'default',
  step: 1_000 + (i % 5) * 50,
  start: T0 + i * 20 * MINUTE_MS,
  end: undefined,
  ruleVersion: 'bench',
  reason: 'load',
  inputs: '{}',
}));

function seconds(work: () => void): number {
  const start = systemClock.elapsed();
  work();
  return (systemClock.elapsed() - start) / 1_000;
}

/** Containers of 3 to 93 minutes over a week, one interval each. */
function rateMany(count: number): bigint {
  let total = 0n;
  for (let i = 0; i < count; i += 1) {
    const start = T0 + ((i * 7_919) % (7 * 24 * 60)) * MINUTE_MS + (i % 977);
    const end = start + (3 + (i % 90)) * MINUTE_MS;
    for (const { amount } of rateIntervals(
      [{ start, end, resources: SMALL }],
      EPOCHS,
      DEFAULT_RATE_CARD,
    )) {
      total += amount;
    }
  }
  return total;
}

function benchRating(print: (line: string) => void): void {
  rateMany(50_000);
  const tenth = seconds(() => rateMany(INTERVALS / 10));
  const whole = seconds(() => rateMany(INTERVALS));
  print(`rating: ${INTERVALS} container intervals in ${whole.toFixed(1)} s (target: 10 s)`);
  print(`rating: ten times the intervals take ${(whole / tenth).toFixed(1)} times as long`);
}

async function record(ledger: Ledger, facts: readonly ContainerFact[]): Promise<number> {
  const start = systemClock.elapsed();
  for (let from = 0; from < facts.length; from += 500) {
    const batch = journalBatch({ facts: facts.slice(from, from + 500) });
    await ledger.journalWriter.record(batch, T0);
  }
  return facts.length / ((systemClock.elapsed() - start) / 1_000);
}

/** Of the containers below, each of which lives for two hours and a half. */
const TICKS_EACH = (150 * MINUTE_MS) / TICK_MS;

/** @returns rows written, and containers and rows a second */
async function settleAll(settler: Settler, now: number) {
  let rows = 0;
  let containers = 0;
  const start = systemClock.elapsed();
  for (;;) {
    const { settlement, caughtUp } = await settler.settle(now, 0);
    rows += settlement.charges.length;
    containers += settlement.containers.length;
    if (caughtUp) break;
  }
  const elapsed = (systemClock.elapsed() - start) / 1_000;
  return { rowRate: Math.round(rows / elapsed), containerRate: Math.round(containers / elapsed) };
}

/** What the same file takes when each container is charged in its own transaction, tick by tick. */
async function benchTicks(
  print: (line: string) => void,
  ours: { readonly folder: string; readonly rate: number },
): Promise<void> {
  const file = join(ours.folder, 'ticks.db');
  await using _made = await openLedger({ file });
  const tickRate = chargeByTicks(file, TICKS);
  const hours = (rate: number) => (INTERVALS / rate / 3_600).toFixed(1);
  print(`ticks: ${Math.round(tickRate)} transactions/s of one container and tick each`);
  print(
    `${INTERVALS} intervals of 150 min: ${hours(ours.rate)} h journaled and settled, ` +
      `${hours(tickRate / TICKS_EACH)} h tick by tick; ` +
      `${Math.round((ours.rate * TICKS_EACH) / tickRate)} times as fast (target: 10), ` +
      `${(ours.rate / tickRate).toFixed(1)} times with a single tick each`,
  );
}

async function benchSettling(print: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-bench-'));
  try {
    await using ledger = await openLedger({ file: join(folder, 'ledger.db') });
    const settler = new Settler(meteringStores(ledger), {
      tariff: tariffOf(meteringOptions()),
      poolOf: () => 'default',
      leaseMs: 600_000,
      accrualIntervalMs: 4_000,
      factsMax: 1_000,
      containersMax: 500,
    });
    const ids = Array.from({ length: CONTAINERS }, (_, i) => i);
    const more = (i: number) => ({ container: `c${i}`, application: `app-${i % 200}` });
    const starts = ids.map((i) => containerFact('container-started', T0 + i, more(i)));
    const stops = ids.map((i) =>
      containerFact('container-stopped', T0 + i + 150 * MINUTE_MS, more(i)),
    );
    const recording = await record(ledger, starts);
    print(`journal: ${Math.round(recording)} facts/s, 500 a transaction, fsync each`);
    await settleAll(settler, T0 + 60_000);
    const again = await settleAll(settler, T0 + 65_000);
    print(`accruing: ${again.containerRate} running containers/s brought up to date`);
    await record(ledger, stops);
    const { rowRate, containerRate } = await settleAll(settler, T0 + 24 * HOUR_MS);
    print(`settling: ${containerRate} stopped containers/s, ${rowRate} charge rows/s`);
    // Start and stop of each are journaled first.
    const rate = 1 / (2 / recording + 1 / containerRate);
    await benchTicks(print, { folder, rate });
    const project = 'unattributed' as ProjectId;
    const checking = seconds(() => {
      for (let i = 0; i < CHECKS; i += 1) void ledger.ledgerReader.quota(project, 'default', T0);
    });
    print(`quota: ${Math.round(CHECKS / checking)} reads/s in the process`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Rating, settling and the quota read, in numbers. */
export async function run(print: (line: string) => void): Promise<void> {
  benchRating(print);
  await benchSettling(print);
}
