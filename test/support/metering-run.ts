import type { z } from 'zod';
import { type MeteringConfig, meteringConfig } from '../../services/metering/config.ts';
import {
  type Metering,
  type MeteringStores,
  startMetering,
} from '../../services/metering/start.ts';
import type { Charge } from '../../shared/contracts/charge.ts';
import type { Evidence, JournalFact } from '../../shared/contracts/container-fact.ts';
import { containerKey } from '../../shared/stores/journal.ts';
import { type Ledger, openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { FakeClock } from './fake-clock.ts';

/** What the stores of a ledger are called in metering. */
export function meteringStores(ledger: Ledger): MeteringStores {
  return {
    journal: ledger.journalReader,
    ledger: ledger.ledgerWriter,
    prices: ledger.priceWriter,
    priceFreezes: ledger.priceFreezes,
    promises: ledger.quotes,
    grants: ledger.grants,
  };
}

export interface MeteringRun extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly metering: Metering;
  readonly clock: FakeClock;
  readonly metrics: Metrics;
  /** Stores facts now, and settles. */
  tell(facts: readonly JournalFact[], evidence?: readonly Evidence[]): Promise<void>;
}

export function meteringOptions(options: z.input<typeof meteringConfig> = {}): MeteringConfig {
  return meteringConfig.parse(options);
}

/** Metering on a ledger in memory, with a clock that a test moves. */
export async function runMetering(
  now: number,
  options: z.input<typeof meteringConfig> = {},
): Promise<MeteringRun> {
  const ledger = await openLedger({ file: ':memory:' });
  const clock = new FakeClock(now);
  const metrics = new Metrics();
  const metering = await startMetering({
    config: meteringOptions(options),
    stores: meteringStores(ledger),
    clock,
    logger: silentLogger,
    metrics,
    random: () => 0,
  });
  return {
    ledger,
    metering,
    clock,
    metrics,
    tell: async (facts, evidence = []) => {
      const batch = { facts, evidence, activity: [], checkpoints: [] };
      await ledger.journalWriter.record(batch, clock.now());
      await metering.settleNow();
    },
    [Symbol.asyncDispose]: async () => {
      await metering[Symbol.asyncDispose]();
      await ledger[Symbol.asyncDispose]();
    },
  };
}

/** Every row of the ledger, in order of id. */
export async function allCharges(ledger: Ledger): Promise<Charge[]> {
  const window = { from: Number.MIN_SAFE_INTEGER, until: Number.MAX_SAFE_INTEGER };
  const rows: Charge[] = [];
  for (const project of await ledger.ledgerReader.projects()) {
    rows.push(...(await ledger.ledgerReader.charges(project, window, { limit: 100_000 })));
  }
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * What the ledger comes to: the sum of rows by container, hour, step, and everything a payer sees,
 * as text. Sums of nothing are left out.
 */
export function netCharges(rows: readonly Charge[]): string[] {
  const sums = new Map<string, Charge['quantity'] & { amount: bigint }>();
  for (const row of rows) {
    const key = JSON.stringify([
      containerKey(row),
      row.hour,
      row.step,
      row.kind,
      row.project,
      row.application,
      row.role,
      row.rateCard,
      row.coverage,
      row.tags,
    ]);
    const sum = sums.get(key);
    sums.set(key, {
      containerMs: (sum?.containerMs ?? 0n) + row.quantity.containerMs,
      millicoreMs: (sum?.millicoreMs ?? 0n) + row.quantity.millicoreMs,
      mibMs: (sum?.mibMs ?? 0n) + row.quantity.mibMs,
      gpuMs: (sum?.gpuMs ?? 0n) + row.quantity.gpuMs,
      amount: (sum?.amount ?? 0n) + row.amount,
    });
  }
  return [...sums]
    .filter(([, sum]) => Object.values(sum).some((value) => value !== 0n))
    .map(([key, sum]) => `${key} ${Object.values(sum).join(' ')}`)
    .sort();
}
