import type { Kysely, Transaction } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import { assert } from '../../errors/assert.ts';
import type { Level } from '../../grants/evaluate-levels.ts';
import type { ProjectLimits } from '../../rating/evaluate-limits.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type {
  Hold,
  HoldOutcome,
  Reservation,
  ReservationRef,
  ReservationState,
  ReservationStore,
  StepOutcome,
} from '../reservation-store.ts';
import { shardOf } from '../shard-of.ts';
import { BatchQueue } from './batch-queue.ts';
import { decideHolds, type HoldRequest } from './hold-batch.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { type ReservationRow, reservationOf, stateAt } from './reservation-row.ts';
import { recomputeSpending, spentBefore } from './reservation-spending.ts';
import { addReserved, lockBalances } from './reserved-sums.ts';

type Trx = Transaction<LedgerTables>;
type Application = Reservation['applications'][number];
type Found = ReservationRow | undefined;

/** Holds of one transaction: some 10 ms. */
const BATCH_MAX = 200;
const BATCHES_MAX = { embedded: 1, shared: 2 };
/** Holds that wait, of some 500 bytes each. */
const WAITING_MAX = 20_000;
/** A transaction costs some 1 ms whatever it holds, and the embedded engine's holds up the thread. */
const REST_MS = 4;
/** Largest integer of both engines' 64-bit columns. */
const AMOUNT_MAX = 2n ** 63n - 1n;

async function readRow(db: Kysely<LedgerTables>, { project, id }: ReservationRef): Promise<Found> {
  return db
    .selectFrom('reservation')
    .selectAll()
    .where('project', '=', project)
    .where('id', '=', id)
    .executeTakeFirst();
}

async function withApplications(
  db: Kysely<LedgerTables>,
  rows: readonly ReservationRow[],
  now: Instant,
): Promise<Reservation[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const links = await db
    .selectFrom('reservation_application')
    .select(['reservation', 'cluster', 'application'])
    .where('project', '=', first.project)
    .where(
      'reservation',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('cluster')
    .orderBy('application')
    .execute();
  return rows.map((row) => {
    const own = links.filter(({ reservation }) => reservation === row.id);
    const applications = own.map(({ cluster, application }) => ({ cluster, application }));
    return reservationOf(row, applications, now);
  });
}

/** Reservations beside the balances that they are part of. */
export class SqlReservationStore implements ReservationStore {
  readonly #engine: LedgerEngine;
  readonly #holds: BatchQueue<HoldRequest, HoldOutcome>;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
    this.#holds = new BatchQueue({
      name: 'holds',
      run: (requests) => engine.transact((trx) => decideHolds(trx, requests, engine)),
      ...{
        batchMax: BATCH_MAX,
        onTheWayMax: engine.rowLocks ? BATCHES_MAX.shared : BATCHES_MAX.embedded,
        waitingMax: WAITING_MAX,
        restMs: REST_MS,
        clock: systemClock,
      },
    });
  }

  async hold(
    hold: Hold,
    limits: ProjectLimits,
    now: Instant,
    levels: readonly Level[] = [],
  ): Promise<HoldOutcome> {
    assert(hold.maxCost >= 0n && hold.maxCost <= AMOUNT_MAX, 'the API has checked the cost');
    const outcome = await this.#holds.add({ hold, limits, levels, now });
    if (outcome.outcome !== 'exists') return outcome;
    const reservation = await this.reservation(hold, now);
    return reservation === undefined ? outcome : { ...outcome, reservation };
  }

  renew(ref: ReservationRef, leaseMs: number, now: Instant): Promise<StepOutcome | undefined> {
    return this.#step(ref, now, async (trx, row, state) => {
      if (state !== 'held') return 'not-held';
      const expiresAt = Math.max(Number(row.expires_at), Math.trunc(now) + leaseMs);
      await this.#update(trx, ref, { expires_at: expiresAt });
      return 'done';
    });
  }

  post(ref: ReservationRef, now: Instant): Promise<StepOutcome | undefined> {
    return this.#resolve(ref, 'posted', now);
  }

  void(ref: ReservationRef, now: Instant): Promise<StepOutcome | undefined> {
    return this.#resolve(ref, 'voided', now);
  }

  async attach(
    ref: ReservationRef,
    application: Application,
    now: Instant,
  ): Promise<StepOutcome | undefined> {
    const shards = await this.#engine.shards();
    // Before the project's row, as settlements do: none of the application's is under way then.
    const lock = (trx: Trx) => this.#engine.lock(trx, `shard/${shardOf(application, shards)}`);
    const attached = async (trx: Trx, row: ReservationRow, state: ReservationState) => {
      if (state !== 'held') return 'not-held';
      if (!(await attach(trx, row, application, now))) return 'repeated';
      await addReserved(trx, ref.project, await recomputeSpending(trx, ref.project, [ref.id]));
      return 'done';
    };
    return this.#step(ref, now, attached, lock);
  }

  async reservation(ref: ReservationRef, now: Instant): Promise<Reservation | undefined> {
    const row = await readRow(this.#engine.db, ref);
    if (row === undefined) return undefined;
    return (await withApplications(this.#engine.db, [row], now))[0];
  }

  async reservations(
    project: ProjectId,
    { state, limit }: { readonly state?: ReservationState; readonly limit: number },
    now: Instant,
  ): Promise<Reservation[]> {
    const { db } = this.#engine;
    let query = db
      .selectFrom('reservation')
      .selectAll()
      .where('project', '=', project)
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(limit);
    if (state === 'held') query = query.where('state', '=', 'held').where('expires_at', '>', now);
    else if (state === 'expired') {
      query = query.where((eb) =>
        eb.or([
          eb('state', '=', 'expired'),
          eb.and([eb('state', '=', 'held'), eb('expires_at', '<=', now)]),
        ]),
      );
    } else if (state !== undefined) query = query.where('state', '=', state);
    return withApplications(db, await query.execute(), now);
  }

  #resolve(
    ref: ReservationRef,
    final: 'posted' | 'voided',
    now: Instant,
  ): Promise<StepOutcome | undefined> {
    return this.#step(ref, now, async (trx, row, state) => {
      if (state === final) return 'repeated';
      if (state !== 'held') return 'not-held';
      await this.#update(trx, ref, {
        ...{ state: final, pending: 0, pending_millicores: 0 },
        resolved_at: Math.trunc(now),
      });
      const released = {
        credits: -BigInt(row.pending),
        millicores: -Number(row.pending_millicores),
      };
      await addReserved(trx, ref.project, released);
      return 'done';
    });
  }

  /** One step on one reservation, under its project's lock; undefined when there is none. */
  #step(
    ref: ReservationRef,
    now: Instant,
    work: (
      trx: Trx,
      row: ReservationRow,
      state: ReservationState,
    ) => Promise<StepOutcome['outcome']>,
    lockFirst: (trx: Trx) => Promise<void> = async () => undefined,
  ): Promise<StepOutcome | undefined> {
    return this.#engine.transact(async (trx) => {
      await lockFirst(trx);
      await lockBalances(trx, [ref.project], this.#engine);
      const row = await readRow(trx, ref);
      if (row === undefined) return undefined;
      const outcome = await work(trx, row, stateAt(row, now));
      const after = (await readRow(trx, ref)) ?? row;
      const [reservation = reservationOf(after, [], now)] = await withApplications(
        trx,
        [after],
        now,
      );
      return { outcome, reservation };
    });
  }

  async #update(
    trx: Trx,
    { project, id }: ReservationRef,
    change: Partial<
      Record<'expires_at' | 'resolved_at' | 'pending' | 'pending_millicores', number>
    > & {
      readonly state?: ReservationState;
    },
  ): Promise<void> {
    await trx
      .updateTable('reservation')
      .set(change)
      .where('project', '=', project)
      .where('id', '=', id)
      .execute();
  }
}

/**
 * @returns whether it wasn't there before
 * @throws AppError CONFLICT when the application runs under another reservation that is held
 */
async function attach(
  trx: Trx,
  { project, id, created_at }: ReservationRow,
  { cluster, application }: Application,
  now: Instant,
): Promise<boolean> {
  const known = await trx
    .selectFrom('reservation_application')
    .select('reservation')
    .where('cluster', '=', cluster)
    .where('application', '=', application)
    .where('project', '=', project)
    .executeTakeFirst();
  if (known?.reservation === id) return false;
  if (known !== undefined) {
    const other = await readRow(trx, { project: project as ProjectId, id: known.reservation });
    if (other !== undefined && stateAt(other, now) === 'held') {
      throw new AppError(
        'CONFLICT',
        `application ${application} runs under reservation ${known.reservation}; end that first`,
      );
    }
  }
  const cost = await trx
    .selectFrom('application')
    .select(['charged', 'accrued', 'start'])
    .where('cluster', '=', cluster)
    .where('application', '=', application)
    .where('project', '=', project)
    .executeTakeFirst();
  // What it cost under another reservation was paid from that one.
  const heldAt = known === undefined ? Number(created_at) : Number.POSITIVE_INFINITY;
  const spent_before = spentBefore(cost, heldAt);
  await trx
    .insertInto('reservation_application')
    .values({ cluster, application, project, reservation: id, spent_before })
    .onConflict((conflict) =>
      conflict
        .columns(['cluster', 'application', 'project'])
        .doUpdateSet({ reservation: id, spent_before }),
    )
    .execute();
  return true;
}
