import type { Insertable, Selectable, Transaction } from 'kysely';
import type { Charge } from '../../contracts/charge.ts';
import { AppError } from '../../errors/app-error.ts';
import { must } from '../../errors/assert.ts';
import { canonicalJson } from '../../values/canonical-json.ts';
import type { Instant } from '../../values/instant.ts';
import { applicationKey, containerKey } from '../journal.ts';
import type { ApplicationState, ContainerState, Settlement } from '../ledger-writer.ts';
import type { ApplicationRow } from './application-row.ts';
import { bookCharges } from './book-charges.ts';
import { addChargeSums } from './charge-sums.ts';
import { touchedShards } from './fact-shards.ts';
import { inChunks } from './in-chunks.ts';
import { addToBalances, BalanceChanges } from './ledger-balances.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { makeDue } from './make-due.ts';
import { reopenInferred } from './reopen-inferred.ts';
import { settledRows, spendReservations } from './reservation-spending.ts';
import { writeContainers } from './write-containers.ts';
import { writeFindings } from './write-findings.ts';

const CHUNK = 100;

type Trx = Transaction<LedgerTables>;
type ContainerRow = Selectable<LedgerTables['container']>;

/** The sums over containers and charges that an application's row carries. */
interface Sums {
  running: number;
  total: number;
  inferred: number;
  millicores: number;
  memoryMib: number;
  gpus: number;
  charged: bigint;
  /** The part of `charged` that is inferred. */
  inferredCharged: bigint;
  accrued: bigint;
  perHour: bigint;
}

/** The ledger, and into how many shards it is divided. */
interface Place {
  readonly engine: Pick<LedgerEngine, 'lock' | 'rowLocks'>;
  readonly shards: number;
}

interface ApplicationWork {
  readonly before: ApplicationRow | undefined;
  state: ApplicationState | undefined;
  start: number;
  readonly sums: Sums;
}

/**
 * Writes a settlement inside a transaction: charges, container states, and the sums that follow
 * from both. Sums change by what was inserted or replaced, so that a repeat adds nothing.
 */
export async function settle(
  trx: Trx,
  given: Settlement,
  { engine, shards }: Place,
): Promise<void> {
  const settlement = withoutRepeats(given);
  // First: who closes a month waits for it, and it sees what was closed before.
  await engine.lock(trx, 'books', 'shared');
  const replaced = await lockShards(trx, settlement, { engine, shards });
  const asOf = await moveCursor(trx, settlement);
  const inserted = await bookCharges(trx, settlement.charges, asOf);
  const works = await loadApplications(trx, settlement, replaced);
  refuseStale(settlement, works);
  const balances = new BalanceChanges();
  for (const charge of inserted) {
    const inferred = charge.coverage === 'inferred' ? charge.amount : 0n;
    const { sums } = workOf(works, charge);
    sums.charged += charge.amount;
    sums.inferredCharged += inferred;
    balances.add(charge.project, { charged: charge.amount, inferred });
  }
  for (const state of settlement.containers) {
    const before = replaced.get(containerKey(state));
    if (before !== undefined) countContainer(workOf(works, before), stateOfRow(before), -1);
    const work = workOf(works, state);
    countContainer(work, state, 1);
    work.start = Math.min(work.start, state.start);
  }
  await writeApplications(trx, works, balances);
  // From here on evidence waits: it sees these containers, or they see it.
  await engine.lock(trx, 'evidence', 'shared');
  await writeContainers(trx, settlement);
  await reopenInferred(
    trx,
    settlement.containers.filter(({ coverage }) => coverage === 'inferred'),
  );
  await writeFindings(trx, settlement);
  await makeDue(trx, settlement.restate);
  await addToBalances(trx, balances, engine);
  await spendReservations(trx, settledRows(works.values()), balances.projects);
  await addChargeSums(trx, inserted);
}

/**
 * Takes the settlement's shard and those of all applications that it touches, nearly always the same
 * one: who holds an application's shard alone writes its row, and the rows of containers that name
 * it, wherever these belong.
 *
 * @returns the containers as they stand
 */
async function lockShards(
  trx: Trx,
  { shard, applications, containers, charges, restate }: Settlement,
  { engine, shards }: Place,
): Promise<Map<string, ContainerRow>> {
  const named = [...applications, ...containers, ...charges, ...restate];
  const locked = touchedShards(shard, named, shards);
  for (const one of locked) await engine.lock(trx, `shard/${one}`);
  const replaced = await replacedContainers(trx, containers);
  // A container that changes its application, out of order: two that wait for each other begin anew.
  for (const one of touchedShards(shard, replaced.values(), shards)) {
    if (!locked.includes(one)) await engine.lock(trx, `shard/${one}`);
  }
  return replaced;
}

/** @throws AppError CONFLICT when an application was restated since the settlement read it */
function refuseStale({ read }: Settlement, works: ReadonlyMap<string, ApplicationWork>): void {
  for (const { cluster, application, restated } of read) {
    const now = works.get(applicationKey({ cluster, application }))?.before?.restated;
    if ((now === undefined ? undefined : Number(now)) === restated) continue;
    throw new AppError(
      'CONFLICT',
      `application ${application} of ${cluster} was settled anew meanwhile; read again and settle ` +
        'what is left',
    );
  }
}

/**
 * What is named twice would be summed twice. Of charges the first one stands, as between settlements;
 * of states the last.
 */
function withoutRepeats(given: Settlement): Settlement {
  const charges = new Map<string, Charge>();
  for (const charge of given.charges) if (!charges.has(charge.id)) charges.set(charge.id, charge);
  const containers = new Map(given.containers.map((state) => [containerKey(state), state]));
  return { ...given, charges: [...charges.values()], containers: [...containers.values()] };
}

/** @returns up to when the shard was settled before */
async function moveCursor(trx: Trx, { shard, cursor, asOf }: Settlement): Promise<Instant> {
  const before = await trx
    .selectFrom('shard')
    .select(['cursor', 'as_of'])
    .where('shard', '=', shard)
    .executeTakeFirstOrThrow();
  if (Number(before.cursor) > cursor) {
    throw new AppError(
      'CONFLICT',
      `shard ${shard} of the ledger is settled up to fact ${before.cursor}, past ${cursor}: another ` +
        'meter writes it; stop one',
    );
  }
  await trx
    .updateTable('shard')
    .set({ cursor, as_of: Math.max(asOf, Number(before.as_of)) })
    .where('shard', '=', shard)
    .execute();
  return Number(before.as_of);
}

async function replacedContainers(
  trx: Trx,
  states: readonly ContainerState[],
): Promise<Map<string, ContainerRow>> {
  const rows = new Map<string, ContainerRow>();
  for (const [cluster, members] of Map.groupBy(states, (state) => state.cluster)) {
    for (const chunk of inChunks(members, CHUNK)) {
      const stored = await trx
        .selectFrom('container')
        .selectAll()
        .where('cluster', '=', cluster)
        .where(
          'container',
          'in',
          chunk.map(({ container }) => container),
        )
        .execute();
      for (const row of stored) rows.set(containerKey(row), row);
    }
  }
  return rows;
}

/** Every application that the settlement touches, as it stands before. */
async function loadApplications(
  trx: Trx,
  { applications, containers, charges }: Settlement,
  replaced: ReadonlyMap<string, ContainerRow>,
): Promise<Map<string, ApplicationWork>> {
  const refs = new Map<string, { cluster: string; application: string }>();
  for (const ref of [...applications, ...containers, ...charges, ...replaced.values()]) {
    refs.set(applicationKey(ref), ref);
  }
  const rows = new Map<string, ApplicationRow>();
  for (const [cluster, members] of Map.groupBy(refs.values(), (ref) => ref.cluster)) {
    for (const chunk of inChunks(members, CHUNK)) {
      const stored = await trx
        .selectFrom('application')
        .selectAll()
        .where('cluster', '=', cluster)
        .where(
          'application',
          'in',
          chunk.map(({ application }) => application),
        )
        .execute();
      for (const row of stored) rows.set(applicationKey(row), row);
    }
  }
  const states = new Map(applications.map((state) => [applicationKey(state), state]));
  return new Map([...refs.keys()].map((key) => [key, startWork(rows.get(key), states.get(key))]));
}

function startWork(
  before: ApplicationRow | undefined,
  state: ApplicationState | undefined,
): ApplicationWork {
  return {
    before,
    state,
    start: Math.min(
      state?.start ?? Number.POSITIVE_INFINITY,
      Number(before?.start ?? Number.POSITIVE_INFINITY),
    ),
    sums: {
      running: Number(before?.running ?? 0),
      total: Number(before?.total ?? 0),
      inferred: Number(before?.inferred ?? 0),
      millicores: Number(before?.millicores ?? 0),
      memoryMib: Number(before?.memory_mib ?? 0),
      gpus: Number(before?.gpus ?? 0),
      charged: BigInt(before?.charged ?? 0),
      inferredCharged: BigInt(before?.inferred_charged ?? 0),
      accrued: BigInt(before?.accrued ?? 0),
      perHour: BigInt(before?.per_hour ?? 0),
    },
  };
}

function workOf(
  works: ReadonlyMap<string, ApplicationWork>,
  ref: { readonly cluster: string; readonly application: string },
): ApplicationWork {
  return must(works.get(applicationKey(ref)), `application ${ref.application} is loaded`);
}

type Counted = Pick<ContainerState, 'state' | 'coverage' | 'resources' | 'accrued' | 'perHour'>;

function stateOfRow(row: ContainerRow): Counted {
  return {
    state: row.state as ContainerState['state'],
    coverage: row.coverage as ContainerState['coverage'],
    resources: {
      millicores: Number(row.millicores),
      memoryMib: Number(row.memory_mib),
      gpus: Number(row.gpus),
    },
    accrued: BigInt(row.accrued),
    perHour: BigInt(row.per_hour),
  };
}

function countContainer({ sums }: ApplicationWork, container: Counted, sign: 1 | -1): void {
  sums.total += sign;
  if (container.coverage === 'inferred') sums.inferred += sign;
  sums.accrued += BigInt(sign) * container.accrued;
  sums.perHour += BigInt(sign) * container.perHour;
  if (container.state !== 'running') return;
  sums.running += sign;
  sums.millicores += sign * container.resources.millicores;
  sums.memoryMib += sign * container.resources.memoryMib;
  sums.gpus += sign * container.resources.gpus;
}

function applicationRow(work: ApplicationWork): Insertable<LedgerTables['application']> {
  const { before, state, sums } = work;
  const facts =
    state === undefined
      ? must(before, 'an application is settled before or with its containers')
      : {
          cluster: state.cluster,
          application: state.application,
          project: state.project,
          name: state.name,
          user: state.user,
          queue: state.queue,
          attempts: JSON.stringify(state.attempts),
          tags: canonicalJson(state.tags),
          url: state.url,
          seen: state.start,
          ended: state.ended ?? null,
        };
  const over = facts.ended !== null || sums.total > 0;
  return {
    ...facts,
    state: sums.running === 0 && over ? 'ended' : 'running',
    start: work.start,
    running: sums.running,
    total: sums.total,
    inferred: sums.inferred,
    millicores: sums.millicores,
    memory_mib: sums.memoryMib,
    gpus: sums.gpus,
    charged: `${sums.charged}`,
    inferred_charged: `${sums.inferredCharged}`,
    accrued: `${sums.accrued}`,
    per_hour: `${sums.perHour}`,
  };
}

async function writeApplications(
  trx: Trx,
  works: ReadonlyMap<string, ApplicationWork>,
  balances: BalanceChanges,
): Promise<void> {
  for (const work of works.values()) {
    const { before } = work;
    const row = applicationRow(work);
    if (before !== undefined) {
      balances.add(before.project, {
        accrued: -BigInt(before.accrued),
        perHour: -BigInt(before.per_hour),
        millicores: -Number(before.millicores),
      });
    }
    balances.add(row.project, {
      accrued: BigInt(row.accrued),
      perHour: BigInt(row.per_hour),
      millicores: work.sums.millicores,
    });
    const { cluster, application, ...rest } = row;
    await trx
      .insertInto('application')
      .values(row)
      .onConflict((conflict) => conflict.columns(['cluster', 'application']).doUpdateSet(rest))
      .execute();
  }
}
