import type { Kysely, Transaction } from 'kysely';
import type { PriceEpoch, PriceEvaluation } from '../../contracts/charge.ts';
import { AppError } from '../../errors/app-error.ts';
import { formatInstant, type Instant } from '../../values/instant.ts';
import type { Fence } from '../lease.ts';
import type { PriceWriter } from '../price-book.ts';
import { checkFence } from './check-fence.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';

/**
 * The epochs. A row has no end: it lasts until the next one starts, so that announcing an epoch
 * edits nothing.
 */
export class SqlPriceBook implements PriceWriter {
  readonly #engine: LedgerEngine;
  readonly #db: Kysely<LedgerTables>;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
    this.#db = engine.db;
  }

  async epochs(pool: string, from: Instant, until: Instant): Promise<PriceEpoch[]> {
    const inForce = this.#db
      .selectFrom('price_epoch')
      .select('start')
      .where('pool', '=', pool)
      .where('start', '<=', from)
      .orderBy('start', 'desc')
      .limit(1);
    const first = await inForce.executeTakeFirst();
    const rows = await this.#db
      .selectFrom('price_epoch')
      .selectAll()
      .where('pool', '=', pool)
      .where('start', '>=', first?.start ?? from)
      .orderBy('start')
      .where('start', '<', until)
      .execute();
    const after = await this.#db
      .selectFrom('price_epoch')
      .select('start')
      .where('pool', '=', pool)
      .where('start', '>=', until)
      .orderBy('start')
      .limit(1)
      .executeTakeFirst();
    const starts = rows.map((row) => Number(row.start));
    return rows.map((row, index) => ({
      id: row.id,
      pool: row.pool,
      step: Number(row.step),
      start: Number(row.start),
      end: starts[index + 1] ?? (after === undefined ? undefined : Number(after.start)),
      ruleVersion: row.rule_version,
      reason: row.reason,
      inputs: row.inputs,
    }));
  }

  async evaluation(pool: string): Promise<PriceEvaluation | undefined> {
    const row = await this.#db
      .selectFrom('price_evaluation')
      .selectAll()
      .where('pool', '=', pool)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    return { pool, at: Number(row.at), ruleVersion: row.rule_version, inputs: row.inputs };
  }

  async announce(epoch: PriceEpoch, storedAt: Instant, fence?: Fence): Promise<void> {
    // Serializable: two who each find the other's epoch not there would both append.
    const options = { serializable: true };
    await this.#engine.transact(async (trx) => {
      if (fence !== undefined) await checkFence(trx, fence, this.#engine);
      await append(trx, epoch, storedAt);
    }, options);
  }

  async conclude(
    evaluation: PriceEvaluation,
    epoch: PriceEpoch | undefined,
    storedAt: Instant,
    fence?: Fence,
  ): Promise<void> {
    const options = { serializable: epoch !== undefined };
    await this.#engine.transact(async (trx) => {
      if (fence !== undefined) await checkFence(trx, fence, this.#engine);
      if (await keep(trx, evaluation, storedAt)) {
        if (epoch !== undefined) await append(trx, epoch, storedAt);
      }
    }, options);
  }
}

/** False where it was kept before. */
async function keep(
  trx: Transaction<LedgerTables>,
  { pool, at, ruleVersion, inputs }: PriceEvaluation,
  storedAt: Instant,
): Promise<boolean> {
  const row = { at, rule_version: ruleVersion, inputs, stored_at: storedAt };
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('price_evaluation')
    .values({ pool, ...row })
    .onConflict((conflict) =>
      conflict.column('pool').doUpdateSet(row).where('price_evaluation.at', '<', at),
    )
    .executeTakeFirstOrThrow();
  if (Number(numInsertedOrUpdatedRows) > 0) return true;
  const kept = await trx
    .selectFrom('price_evaluation')
    .select(['at', 'inputs'])
    .where('pool', '=', pool)
    .executeTakeFirstOrThrow();
  if (Number(kept.at) === at && kept.inputs === inputs) return false;
  throw new AppError(
    'CONFLICT',
    `the price of pool ${pool} was thought about at ${formatInstant(Number(kept.at))}; ` +
      `another evaluation at ${formatInstant(at)} would go back`,
  );
}

async function append(
  trx: Transaction<LedgerTables>,
  epoch: PriceEpoch,
  storedAt: Instant,
): Promise<void> {
  const last = await trx
    .selectFrom('price_epoch')
    .selectAll()
    .where('pool', '=', epoch.pool)
    .orderBy('start', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last !== undefined && Number(last.start) >= epoch.start) {
    const same =
      Number(last.start) === epoch.start &&
      last.id === epoch.id &&
      Number(last.step) === epoch.step &&
      last.inputs === epoch.inputs;
    if (same) return;
    throw new AppError(
      'CONFLICT',
      `pool ${epoch.pool} has a price from ${formatInstant(Number(last.start))} on; an epoch ` +
        `from ${formatInstant(epoch.start)} would change a price already announced`,
    );
  }
  await trx
    .insertInto('price_epoch')
    .values({
      pool: epoch.pool,
      start: epoch.start,
      id: epoch.id,
      step: epoch.step,
      rule_version: epoch.ruleVersion,
      reason: epoch.reason,
      inputs: epoch.inputs,
      stored_at: storedAt,
    })
    .execute();
}
