import type { PriceEpoch } from '../../../shared/contracts/charge.ts';
import type {
  RestReplayProgress,
  RestReplayResult,
} from '../../../shared/contracts/rest-replay.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { GrantStore } from '../../../shared/stores/grant-store.ts';
import type { JournalReader } from '../../../shared/stores/journal.ts';
import type { LedgerReader } from '../../../shared/stores/ledger-reader.ts';
import type { PriceReader } from '../../../shared/stores/price-book.ts';
import type { PromiseReader } from '../../../shared/stores/quote-store.ts';
import type { ReplayReader } from '../../../shared/stores/replay-reader.ts';
import { DAY_MS, formatInstant, type Instant } from '../../../shared/values/instant.ts';
import type { Interval } from '../../../shared/values/interval.ts';
import { parseCredits } from '../../../shared/values/money.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import {
  type MeteringConfig,
  outcomePolicyOf,
  poolOf,
  tariffBookOf,
  witnessRuleOf,
} from '../config.ts';
import { priceRuleOf } from '../price-config.ts';
import { changeOf, comparePools } from './compare-charges.ts';
import { type ProposedTariff, proposedTariff } from './proposed-tariff.ts';
import { type BudgetStores, replayBudget } from './replay-budget.ts';
import { type ReplayedContainers, replayContainers } from './replay-containers.ts';
import { replayPrices } from './replay-prices.ts';

/** A window, on whole hours, and what to charge it by. */
export interface ReplayRequest extends Interval {
  /** Undefined: all of them. */
  readonly project: ProjectId | undefined;
  /** As it was written; checked here. */
  readonly tariff: Readonly<Record<string, unknown>>;
}

/** Readers only: a replay writes nothing. */
export interface ReplayStores extends BudgetStores {
  readonly journal: JournalReader;
  readonly prices: PriceReader;
  readonly quotes: PromiseReader;
  readonly replay: ReplayReader;
  readonly ledger: Pick<LedgerReader, 'balance'>;
  readonly grants: Pick<GrantStore, 'grants'>;
}

export interface ReplayDeps {
  /** By which the meter charges. */
  readonly config: MeteringConfig;
  readonly stores: ReplayStores;
  readonly clock: Clock;
}

type Pools = ReadonlyMap<string, readonly PriceEpoch[]>;
type Progress = AsyncGenerator<RestReplayProgress, Pools>;

/**
 * What is missing to a minimum is of the whole life: for lives that began before the window, prices
 * are read this far back. Before that the base price is taken.
 */
const BEFORE_MAX_MS = 100 * DAY_MS;

const progress = (
  phase: RestReplayProgress['phase'],
  done: number,
  total: number,
): RestReplayProgress => ({ type: 'progress', phase, done, total });

/** Epochs up to the one that holds then, which ends there. */
function endedBefore(epochs: readonly PriceEpoch[], at: Instant): PriceEpoch[] {
  return epochs
    .filter(({ start }) => start < at)
    .map((epoch) => ({ ...epoch, end: Math.min(epoch.end ?? at, at) }));
}

/** The epochs of each pool in the window: as announced, or as the proposed rule comes to them. */
async function* pricesOf(
  { stores }: ReplayDeps,
  { config, changed }: ProposedTariff,
  window: Interval,
): Progress {
  const pools = new Map<string, readonly PriceEpoch[]>();
  const again = changed.includes('price') || changed.includes('pools');
  const of = poolOf(config.pools, config.clusters);
  const clusters = again ? await stores.journal.clusters() : [];
  const length = window.end - window.start;
  const since = tariffBookOf(config).hasMinimum() ? window.start - BEFORE_MAX_MS : window.start;
  for (const [index, { id, price = config.price }] of config.pools.entries()) {
    if (!again) {
      pools.set(id, await stores.prices.epochs(id, since, window.end));
      continue;
    }
    const before = since < window.start ? await stores.prices.epochs(id, since, window.start) : [];
    const pool = { id, clusters: clusters.filter((name) => of(name) === id) };
    const replay = replayPrices(stores, pool, priceRuleOf(price, config.clusters), window);
    for (let step = await replay.next(); ; step = await replay.next()) {
      if (step.done) {
        pools.set(id, [
          ...endedBefore(before, step.value[0]?.start ?? window.start),
          ...step.value,
        ]);
        break;
      }
      const done = Math.max(0, step.value - window.start);
      yield progress('prices', index * length + done, config.pools.length * length);
    }
  }
  return pools;
}

async function* chargesOf(
  { config, stores, clock }: ReplayDeps,
  request: ReplayRequest,
  proposed: ProposedTariff,
  prices: Pools,
): AsyncGenerator<RestReplayProgress, ReplayedContainers> {
  const { project } = request;
  const window = { start: request.start, end: request.end };
  const rules = {
    tariff: tariffBookOf(proposed.config),
    leaseMs: config.leaseMs,
    witnessRule: witnessRuleOf(config),
    outcomePolicy: outcomePolicyOf(config),
    poolOf: poolOf(proposed.config.pools, proposed.config.clusters),
    epochsOf: (pool: string) => prices.get(pool) ?? [],
    now: clock.now(),
  };
  const span = { from: window.start, until: window.end };
  const total = await stores.replay.countContainers(span, project);
  const sums: ReplayedContainers = { projects: new Map(), containers: 0, intervals: 0, lines: 0 };
  for await (const _page of replayContainers(stores, { window, project }, rules, sums)) {
    yield progress('charges', Math.min(sums.containers, total), total);
  }
  return sums;
}

async function* projectsOf(
  { stores }: ReplayDeps,
  request: ReplayRequest,
  { budgets }: ProposedTariff,
  sums: ReplayedContainers,
): AsyncGenerator<RestReplayProgress, RestReplayResult['projects']> {
  const { project } = request;
  const span = { from: request.start, until: request.end };
  const charged = await stores.replay.charged(span, project);
  const since = await stores.replay.charged({ ...span, until: Number.MAX_SAFE_INTEGER }, project);
  const named = budgets.flatMap((one) =>
    project === undefined || one.project === project ? [one.project as ProjectId] : [],
  );
  const names = [...new Set([...charged.keys(), ...sums.projects.keys(), ...named])].sort();
  const rows: RestReplayResult['projects'] = [];
  for (const [index, name] of names.entries()) {
    const now = sums.projects.get(name);
    rows.push({
      project: name,
      ...changeOf(charged.get(name) ?? 0n, now?.amount ?? 0n),
      ...(await replayBudget(stores, {
        project: name,
        window: { start: request.start, end: request.end },
        budget: budgets.find((one) => one.project === name),
        hours: now?.hours ?? new Map<Instant, bigint>(),
        chargedSince: since.get(name) ?? 0n,
      })),
    });
    yield progress('budgets', index + 1, names.length);
  }
  return rows;
}

/**
 * Charges a past window again under another tariff and compares: winners, losers, and what would
 * have been refused. Reads journal and ledger, writes nothing, and holds sums by project and hour.
 * Ending the iteration ends the work.
 *
 * @throws AppError BAD_REQUEST with all that is wrong with the tariff
 */
export async function* startReplay(
  deps: ReplayDeps,
  request: ReplayRequest,
): AsyncGenerator<RestReplayProgress | RestReplayResult, void> {
  const proposed = proposedTariff(deps.config, request.tariff);
  const window = { start: request.start, end: request.end };
  const prices = yield* pricesOf(deps, proposed, window);
  const sums = yield* chargesOf(deps, request, proposed, prices);
  const projects = yield* projectsOf(deps, request, proposed, sums);
  const announced = new Map<string, readonly PriceEpoch[]>();
  for (const id of prices.keys()) {
    announced.set(id, await deps.stores.prices.epochs(id, window.start, window.end));
  }
  yield {
    type: 'result',
    from: formatInstant(window.start),
    until: formatInstant(window.end),
    project: request.project ?? null,
    changed: [...proposed.changed],
    ...{ containers: sums.containers, intervals: sums.intervals, lines: sums.lines },
    total: changeOf(...totalsOf(projects)),
    projects,
    pools: comparePools(announced, prices, window),
  };
}

function totalsOf(projects: RestReplayResult['projects']): [bigint, bigint] {
  const sum = (member: 'charged' | 'replayed'): bigint =>
    projects.reduce((total, row) => total + (parseCredits(row[member]) ?? 0n), 0n);
  return [sum('charged'), sum('replayed')];
}
