import { setImmediate } from 'node:timers/promises';
import type { PriceEpoch } from '../../../shared/contracts/charge.ts';
import type { ApplicationFact } from '../../../shared/contracts/container-fact.ts';
import { applicationIdentity } from '../../../shared/intervals/application-identity.ts';
import {
  type PricePromise,
  promisedEpochs,
  QUOTE_TAG,
} from '../../../shared/price/price-promise.ts';
import { clipIntervals } from '../../../shared/rating/rate-interval.ts';
import { chargeableSpan, rateLife } from '../../../shared/rating/rate-life.ts';
import { type ReadingRules, readContainer } from '../../../shared/rating/read-container.ts';
import type { Tariffs } from '../../../shared/rating/tariff.ts';
import {
  applicationKey,
  type ContainerRecord,
  containerKey,
  type JournalReader,
} from '../../../shared/stores/journal.ts';
import type { PromiseReader } from '../../../shared/stores/quote-store.ts';
import type { ReplayContainer, ReplayReader } from '../../../shared/stores/replay-reader.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { Interval } from '../../../shared/values/interval.ts';
import type { Nanocredits } from '../../../shared/values/money.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { promiseOf } from '../ledger/promise-of.ts';

/** Containers held at once. */
const PAGE = 1_000;

export interface ReplayRules extends ReadingRules {
  readonly tariff: Tariffs;
  /** Pool that prices a cluster; undefined: always at the base price. */
  readonly poolOf: (cluster: string) => string | undefined;
  /** Of a pool, in order of start. */
  readonly epochsOf: (pool: string) => readonly PriceEpoch[];
  readonly now: Instant;
}

/** What a project comes to under the tariff. */
export interface ReplayedCharges {
  amount: Nanocredits;
  /** By UTC hour. */
  readonly hours: Map<Instant, Nanocredits>;
}

export interface ReplayedContainers {
  readonly projects: Map<ProjectId, ReplayedCharges>;
  containers: number;
  intervals: number;
  lines: number;
}

interface Stores {
  readonly journal: Pick<JournalReader, 'containers' | 'applications'>;
  readonly replay: Pick<ReplayReader, 'containers'>;
  readonly quotes: PromiseReader;
}

/**
 * Charges every container of a window again, a page at a time: what is kept are sums by project and
 * hour.
 *
 * @param into grows from page to page
 * @yields after each page
 */
export async function* replayContainers(
  stores: Stores,
  { window, project }: { readonly window: Interval; readonly project: ProjectId | undefined },
  rules: ReplayRules,
  into: ReplayedContainers,
): AsyncGenerator<void, void> {
  const span = { from: window.start, until: window.end };
  for (let after: ReplayContainer | undefined; ; ) {
    const page = await stores.replay.containers(span, project, {
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    const records = await stores.journal.containers(page);
    const applications = await stores.journal.applications(distinct(page));
    const promised = await promisesOf(stores.quotes, page, applications, rules);
    for (const container of page) {
      const record = records.get(containerKey(container));
      const told = applications.get(applicationKey(container)) ?? [];
      const promise = promised(container);
      if (record !== undefined) charge(container, { record, told, promise, window }, rules, into);
    }
    after = page.at(-1);
    yield;
    if (page.length < PAGE) return;
    // SQLite answers without leaving the thread: let a stop have a turn.
    await setImmediate();
  }
}

function distinct(page: readonly ReplayContainer[]) {
  return [...new Map(page.map((ref) => [applicationKey(ref), ref])).values()];
}

/** What was promised to those whose tag names a quote. */
async function promisesOf(
  quotes: PromiseReader,
  page: readonly ReplayContainer[],
  applications: ReadonlyMap<string, readonly ApplicationFact[]>,
  { witnessRule: { trust } }: ReplayRules,
): Promise<(container: ReplayContainer) => PricePromise | undefined> {
  const payers = new Map(
    distinct(page).flatMap((ref) => {
      const facts = applications.get(applicationKey(ref)) ?? [];
      const named = facts.some((fact) => QUOTE_TAG in fact.tags);
      if (!named) return [];
      const { tags } = applicationIdentity(ref, facts, 0, trust);
      return [[applicationKey(ref), { project: ref.project, tags }] as const];
    }),
  );
  const promised = await promiseOf(quotes, [...payers.values()]);
  return (container) => {
    const payer = payers.get(applicationKey(container));
    return payer && promised(payer);
  };
}

/** One container's lines inside the window, as the meter would charge them by now. */
function charge(
  container: ReplayContainer,
  {
    record,
    told,
    promise,
    window,
  }: {
    readonly record: ContainerRecord;
    readonly told: readonly ApplicationFact[];
    readonly promise: PricePromise | undefined;
    readonly window: Interval;
  },
  rules: ReplayRules,
  into: ReplayedContainers,
): void {
  const known = { ...record, ...container, applicationFacts: told };
  const reading = readContainer(known, rules, rules.now);
  const { life } = reading.told;
  if (life === undefined) return;
  const { cluster, project } = container;
  const { over, chargedUntil } = chargeableSpan(life, rules.now);
  const charged = { start: window.start, end: Math.min(window.end, chargedUntil) };
  const pool = rules.poolOf(cluster);
  const recorded = pool === undefined ? [] : rules.epochsOf(pool);
  const epochs = promisedEpochs(recorded, promise, { project, pool });
  const { percent } = reading;
  const prices = { tariff: rules.tariff.of(cluster), epochs, project, percent, over };
  const lines = rateLife(life, charged, prices);
  into.containers += 1;
  into.intervals += clipIntervals(life.intervals, charged).length;
  into.lines += lines.length;
  const sums = into.projects.get(container.project) ?? { amount: 0n, hours: new Map() };
  into.projects.set(container.project, sums);
  for (const { hour, amount } of lines) {
    sums.amount += amount;
    sums.hours.set(hour, (sums.hours.get(hour) ?? 0n) + amount);
  }
}
