import type { Transaction } from 'kysely';
import { borrowingLine, evaluateLevels, type Level } from '../../grants/evaluate-levels.ts';
import { grantedAt } from '../../grants/grant-turns.ts';
import { evaluateLimits, type ProjectLimits } from '../../rating/evaluate-limits.ts';
import type { Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { Balance } from '../ledger-reader.ts';
import type { Hold, HoldOutcome, Reservation } from '../reservation-store.ts';
import { HeldLevels } from './held-levels.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { holdBody, type ReservationRow, reservationOf } from './reservation-row.ts';
import { sweepExpired } from './reserved-sums.ts';
import { parseTurns } from './turns-column.ts';
import { parseReadings } from './use-readings.ts';

type Trx = Transaction<LedgerTables>;
type BalanceRow = Awaited<ReturnType<typeof lockAccountRows>>[number];

const CHUNK = 100;

/** One hold as it waits to be decided. */
export interface HoldRequest {
  readonly hold: Hold;
  readonly limits: ProjectLimits;
  /** Above the project, lowest first. */
  readonly levels: readonly Level[];
  readonly now: Instant;
}

/** A project while a batch is decided: nobody else changes it meanwhile. */
interface Account {
  account: Balance;
  /** As it was locked. */
  readonly row: BalanceRow;
}

const keyOf = ({ project, id }: { readonly project: string; readonly id: string }): string =>
  `${project}\n${id}`;

function accountOf(row: BalanceRow, now: Instant): Balance {
  return {
    project: row.project as ProjectId,
    granted: grantedAt(BigInt(row.granted), parseTurns(row.turns), now),
    charged: BigInt(row.charged),
    accrued: BigInt(row.accrued),
    reserved: BigInt(row.reserved),
    unlimited: Number(row.unlimited) === 1,
    millicores: Number(row.millicores),
    reservedMillicores: Number(row.reserved_millicores),
    inferred: BigInt(row.inferred),
    perHour: BigInt(row.per_hour),
    asOf: Number(row.as_of),
    readings: parseReadings(row.readings),
  };
}

/**
 * Locks the projects' rows in the order of their names. `ended` tells whether a lease is over that
 * nobody has swept: from before the lock, which is enough to know whether to look.
 */
async function lockAccountRows(
  trx: Trx,
  { projects, now }: { readonly projects: readonly string[]; readonly now: Instant },
  { rowLocks }: Pick<LedgerEngine, 'rowLocks'>,
) {
  return trx
    .selectFrom('balance')
    .selectAll('balance')
    .select((eb) => [
      eb
        .selectFrom('shard')
        .select((shard) => shard.fn.min('shard.as_of').as('as_of'))
        .as('as_of'),
      eb
        .selectFrom('reservation')
        .select((one) => one.fn.min('reservation.expires_at').as('ended'))
        .whereRef('reservation.project', '=', 'balance.project')
        .where('reservation.state', '=', 'held')
        .where('reservation.expires_at', '<=', Math.trunc(now))
        .as('ended'),
    ])
    .where('project', 'in', [...new Set(projects)].sort())
    .$if(rowLocks, (query) => query.orderBy('project').forUpdate())
    .execute();
}

async function lockAccounts(
  trx: Trx,
  requests: readonly HoldRequest[],
  engine: Pick<LedgerEngine, 'rowLocks'>,
): Promise<Map<string, Account>> {
  const projects = requests.map(({ hold }) => hold.project as string);
  const now = Math.max(...requests.map((request) => request.now));
  const rows = await lockAccountRows(trx, { projects, now }, engine);
  const ended = rows.filter((row) => row.ended !== null).map(({ project }) => project);
  const swept = await sweepExpired(trx, ended, now);
  return new Map(
    rows.map((row) => {
      const before = accountOf(row, now);
      const { credits, millicores } = swept.get(row.project) ?? { credits: 0n, millicores: 0 };
      const account: Balance = {
        ...before,
        reserved: before.reserved + credits,
        reservedMillicores: before.reservedMillicores + millicores,
      };
      return [row.project, { account, row }];
    }),
  );
}

async function readExisting(
  trx: Trx,
  requests: readonly HoldRequest[],
): Promise<Map<string, ReservationRow>> {
  const found = new Map<string, ReservationRow>();
  for (const chunk of inChunks(requests, CHUNK)) {
    const rows = await trx
      .selectFrom('reservation')
      .selectAll()
      .where((eb) =>
        eb.or(
          chunk.map(({ hold: { project, id } }) =>
            eb.and([eb('project', '=', project), eb('id', '=', id)]),
          ),
        ),
      )
      .execute();
    for (const row of rows) found.set(keyOf(row), row);
  }
  return found;
}

function newRow({ hold, now }: HoldRequest): ReservationRow {
  return {
    project: hold.project,
    id: hold.id,
    application: hold.application.toWellFormed(),
    body: holdBody(hold),
    state: 'held',
    held: hold.maxCost,
    millicores: BigInt(hold.resources.millicores),
    spent: '0',
    running_millicores: 0n,
    pending: hold.maxCost,
    pending_millicores: BigInt(hold.resources.millicores),
    created_at: BigInt(Math.trunc(now)),
    expires_at: BigInt(Math.trunc(now) + hold.leaseMs),
    resolved_at: null,
  };
}

/** What has been decided of a batch so far, and at which time all of it is. */
interface Decided {
  readonly rows: Map<string, ReservationRow>;
  readonly held: HeldLevels;
  readonly at: Instant;
}

/** One request against what the requests before it have left. */
function decide(
  request: HoldRequest,
  work: Account | undefined,
  { rows, held, at }: Decided,
): { readonly outcome: HoldOutcome; readonly inserted?: ReservationRow } {
  const { hold, limits, levels, now } = request;
  if (work === undefined) return { outcome: { outcome: 'unknown-project' } };
  const row = newRow(request);
  const known = rows.get(keyOf(row));
  if (known !== undefined) {
    if (known.body !== row.body) return { outcome: { outcome: 'conflict' } };
    const reservation = reservationOf(known, [], now);
    return { outcome: { outcome: 'exists', reservation, balance: work.account } };
  }
  const use = { cost: hold.maxCost, millicores: hold.resources.millicores };
  const states = held.states(levels);
  const limited = !work.account.unlimited;
  const borrowed = limited ? borrowingLine(states, held.leftOf(hold.project)) : 0n;
  const own = { ...limits, creditLine: limits.creditLine + borrowed };
  const { refusals } = evaluateLimits(work.account, own, use, now);
  if (refusals.length > 0) {
    return { outcome: { outcome: 'refused', refusals, balance: work.account } };
  }
  const above = evaluateLevels(states, { estimate: hold.maxCost, limited, now: at });
  if (above !== undefined) {
    return { outcome: { outcome: 'refused-above', refusal: above, balance: work.account } };
  }
  held.take({ project: hold.project, limited }, levels, hold.maxCost);
  work.account = {
    ...work.account,
    reserved: work.account.reserved + hold.maxCost,
    reservedMillicores: work.account.reservedMillicores + hold.resources.millicores,
  };
  rows.set(keyOf(row), row);
  const reservation: Reservation = reservationOf(row, [], now);
  return { outcome: { outcome: 'held', reservation, balance: work.account }, inserted: row };
}

/** All rows in one statement; they are there, and held. */
async function writeReserved(trx: Trx, accounts: Iterable<Account>): Promise<void> {
  const changed = [...accounts].filter(
    ({ account, row }) =>
      account.reserved !== BigInt(row.reserved) ||
      account.reservedMillicores !== Number(row.reserved_millicores),
  );
  for (const chunk of inChunks(changed, CHUNK)) {
    await trx
      .insertInto('balance')
      .values(
        chunk.map(({ account: { reserved, reservedMillicores }, row }) => ({
          ...{ project: row.project, granted: row.granted, charged: row.charged },
          ...{ accrued: row.accrued, per_hour: row.per_hour, unlimited: row.unlimited },
          ...{ reserved: `${reserved}`, reserved_millicores: reservedMillicores },
        })),
      )
      .onConflict((conflict) =>
        conflict.column('project').doUpdateSet({
          reserved: (eb) => eb.ref('excluded.reserved'),
          reserved_millicores: (eb) => eb.ref('excluded.reserved_millicores'),
        }),
      )
      .execute();
  }
}

/**
 * Decides holds one after the other and writes those that are admitted, in one transaction that
 * holds their levels, and the rows of their projects, from before it reads them: what is decided is
 * what is written.
 */
export async function decideHolds(
  trx: Trx,
  requests: readonly HoldRequest[],
  engine: Pick<LedgerEngine, 'rowLocks' | 'lock'>,
): Promise<HoldOutcome[]> {
  const at = Math.max(...requests.map(({ now }) => now));
  const levels = requests.flatMap((request) => request.levels);
  const held = await HeldLevels.lock(trx, { levels, now: at }, engine);
  const accounts = await lockAccounts(trx, requests, engine);
  const rows = await readExisting(trx, requests);
  const inserted: ReservationRow[] = [];
  const outcomes = requests.map((request) => {
    const decided = decide(request, accounts.get(request.hold.project), { rows, held, at });
    if (decided.inserted !== undefined) inserted.push(decided.inserted);
    return decided.outcome;
  });
  for (const chunk of inChunks(inserted, CHUNK)) {
    await trx
      .insertInto('reservation')
      .values([...chunk])
      .execute();
  }
  await writeReserved(trx, accounts.values());
  return outcomes;
}
