import {
  type MeteringConfig,
  outcomePolicyOf,
  poolOf,
  tariffOf,
  witnessRuleOf,
} from '../../services/metering/config.ts';
import { Settler, type SettlerStores } from '../../services/metering/ledger/settler.ts';
import type { JournalFact } from '../../shared/contracts/container-fact.ts';
import type { LedgerStores } from '../../shared/stores/open-stores.ts';
import { journalBatch } from './journal-batch.ts';
import { meteringOptions } from './metering-run.ts';

type Stores = Pick<
  LedgerStores,
  'journalReader' | 'journalWriter' | 'ledgerWriter' | 'priceWriter' | 'quotes'
>;

/** The real settler on these stores. */
export function settlerOn(stores: Stores, config: MeteringConfig = meteringOptions()): Settler {
  const settled: SettlerStores = {
    journal: stores.journalReader,
    ledger: stores.ledgerWriter,
    prices: stores.priceWriter,
    promises: stores.quotes,
  };
  return new Settler(settled, {
    tariff: tariffOf(config),
    poolOf: poolOf(config.pools),
    leaseMs: config.leaseMs,
    witnessRule: witnessRuleOf(config),
    outcomePolicy: outcomePolicyOf(config),
    accrualIntervalMs: config.accrualIntervalMs,
    factsMax: 1_000,
    containersMax: 500,
  });
}

/** Stores facts at a time, and settles until nothing is left. */
export async function settleFacts(
  stores: Stores,
  facts: readonly JournalFact[],
  now: number,
  config?: MeteringConfig,
): Promise<void> {
  await stores.journalWriter.record(journalBatch({ facts }), now);
  const settler = settlerOn(stores, config);
  for (let caughtUp = false; !caughtUp; ) caughtUp = (await settler.settle(now, 0)).caughtUp;
}
