import type { ContainerFact, Witness } from '../../../shared/contracts/container-fact.ts';
import { must } from '../../../shared/errors/assert.ts';
import { applicationIdentity, attemptEnd } from '../../../shared/intervals/application-identity.ts';
import {
  type ContainerLife,
  type ContainerTold,
  containerLife,
} from '../../../shared/intervals/container-life.ts';
import { DEFAULT_WITNESS_RULE, type WitnessRule } from '../../../shared/intervals/witness-trust.ts';
import { promisedEpochs } from '../../../shared/price/price-promise.ts';
import {
  FULL_PRICE,
  type OutcomePolicy,
  outcomeOf,
  printOutcome,
} from '../../../shared/rating/outcome.ts';
import { isOver } from '../../../shared/rating/rate-life.ts';
import type { Tariffs } from '../../../shared/rating/tariff.ts';
import {
  applicationKey,
  containerKey,
  type JournalReader,
  type StoredFact,
} from '../../../shared/stores/journal.ts';
import type { Fence } from '../../../shared/stores/lease.ts';
import type {
  ApplicationState,
  ContainerState,
  LedgerWriter,
  NetCharge,
  Restatement,
  Settlement,
} from '../../../shared/stores/ledger-writer.ts';
import type { PriceReader } from '../../../shared/stores/price-book.ts';
import type { PromiseReader } from '../../../shared/stores/quote-store.ts';
import { shardOf } from '../../../shared/stores/shard-of.ts';
import { type Instant, utcHour } from '../../../shared/values/instant.ts';
import { canonicalTags } from './canonical-tags.ts';
import { applicationFindings, containerFindings, newAnomalies } from './find-anomalies.ts';
import { meterContainer } from './meter-container.ts';
import { promiseOf } from './promise-of.ts';
import type { ApplicationWork, ContainerRef, Work } from './settlement-work.ts';

export interface SettlerOptions {
  readonly tariff: Tariffs;
  /** Pool that prices a cluster; undefined: always at the base price. */
  readonly poolOf: (cluster: string) => string | undefined;
  readonly leaseMs: number;
  /** DEFAULT_WITNESS_RULE where it isn't said. */
  readonly witnessRule?: WitnessRule;
  /** FULL_PRICE where it isn't said. */
  readonly outcomePolicy?: OutcomePolicy;
  readonly accrualIntervalMs: number;
  /** Most facts and most due containers of one settlement. */
  readonly factsMax: number;
  readonly containersMax: number;
}

export interface SettlerStores {
  readonly journal: JournalReader;
  readonly ledger: LedgerWriter;
  readonly prices: PriceReader;
  readonly promises: PromiseReader;
}

/** What one settlement did, to be counted. */
export interface Settled {
  readonly settlement: Settlement;
  readonly facts: number;
  readonly anomalies: readonly string[];
  /** Nothing is left to settle now. */
  readonly caughtUp: boolean;
}

/**
 * Brings the ledger to what the journal says, one bounded settlement of one shard at a time. It keeps
 * nothing between settlements: what is done is in the ledger, so that a crash at any point is a
 * restart.
 *
 * An application's shard settles its facts. A container of another shard may name it too; that
 * shard then takes the application as it was last settled, and says what it has read, so that it
 * can't write over what has been made due since. Only an application that nobody settled yet is
 * settled by whoever meets it.
 */
export class Settler {
  readonly #stores: SettlerStores;
  readonly #options: SettlerOptions;
  readonly #rule: WitnessRule;
  readonly #policy: OutcomePolicy;

  constructor(stores: SettlerStores, options: SettlerOptions) {
    this.#stores = stores;
    this.#options = options;
    this.#rule = options.witnessRule ?? DEFAULT_WITNESS_RULE;
    this.#policy = options.outcomePolicy ?? FULL_PRICE;
  }

  /** @param fence of the shard's lease, under which it writes */
  async settle(now: Instant, shard: number, fence?: Fence): Promise<Settled> {
    const { journal, ledger } = this.#stores;
    const { factsMax, containersMax } = this.#options;
    const cursor = await ledger.cursor(shard);
    const facts = await journal.factsAfter(cursor, factsMax, shard);
    const due = await ledger.due(now, containersMax, shard);
    const begun = await this.#works(facts, due);
    const applications = await this.#applications(facts, begun, shard);
    const told = begun.map((work) => this.#told(work, applications, now));
    const works = begun.map((work, index) => this.#looked(work, told[index]?.life, now));
    const metered = await this.#meter(works, told, applications, now);
    const touched = touchedBy(metered, applications);
    const restate = touched.flatMap(({ restatement }) => restatement ?? []);
    const caughtUp = facts.length < factsMax && due.length < containersMax && restate.length === 0;
    const settlement: Settlement = {
      shard,
      ...metered,
      applications: touched.flatMap(({ own, state }) => (own ? [state] : [])),
      restate,
      read: touched.map(({ state: { cluster, application }, before }) => ({
        cluster,
        application,
        restated: before?.restated,
      })),
      findings: [
        ...containerFindings(works, told, applications, this.#rule),
        ...applicationFindings(facts, applications),
      ],
      cursor: facts.at(-1)?.seq ?? cursor,
      asOf: caughtUp ? now : (facts.at(-1)?.storedAt ?? 0),
    };
    await ledger.settle(settlement, fence);
    const anomalies = newAnomalies(facts, told);
    return { settlement, facts: facts.length, anomalies, caughtUp };
  }

  /** The containers to look at: those of new facts wholly, those due from where they stand. */
  async #works(
    facts: readonly StoredFact[],
    due: Awaited<ReturnType<LedgerWriter['due']>>,
  ): Promise<Work[]> {
    const from = new Map<string, ContainerRef & { from: Instant }>();
    for (const { cluster, container, chargedUntil } of due) {
      const since = chargedUntil === undefined ? Number.NEGATIVE_INFINITY : utcHour(chargedUntil);
      from.set(containerKey({ cluster, container }), { cluster, container, from: since });
    }
    for (const { fact } of facts) {
      if (!('container' in fact)) continue;
      const { cluster, container } = fact;
      from.set(containerKey(fact), { cluster, container, from: Number.NEGATIVE_INFINITY });
    }
    const refs = [...from.values()];
    const records = await this.#stores.journal.containers(refs);
    return refs.map((ref) => {
      const record = must(records.get(containerKey(ref)), 'a container with facts has a record');
      return { ...ref, record, applicationRef: applicationOf(ref, record.facts) };
    });
  }

  /** Every application named by a new fact or a container, as it is now and whether that is new. */
  async #applications(
    facts: readonly StoredFact[],
    works: readonly Work[],
    shard: number,
  ): Promise<Map<string, ApplicationWork>> {
    const refs = new Map(works.map(({ applicationRef: ref }) => [applicationKey(ref), ref]));
    const endedNow = new Set<string>();
    for (const { fact } of facts) {
      if (fact.kind !== 'application-seen' && fact.kind !== 'application-ended') continue;
      const ref = { cluster: fact.cluster, application: fact.application };
      refs.set(applicationKey(ref), ref);
      if (fact.kind === 'application-ended') endedNow.add(applicationKey(ref));
    }
    const { journal, ledger } = this.#stores;
    const shards = await ledger.shards();
    // Before its facts: whoever settles a fact that is missing from these restates it after this.
    const settled = await ledger.applications([...refs.values()]);
    const told = await journal.applications([...refs.values()]);
    const starts = earliestStarts(works);
    const entries = [...refs].map(([key, ref]): [string, ApplicationWork] => {
      const before = settled.get(key);
      const facts = told.get(key) ?? [];
      if (before !== undefined && shardOf(ref, shards) !== shard) {
        return [key, { own: false, before, state: before.state, facts, restatement: undefined }];
      }
      const since = Math.min(
        before?.state.start ?? Number.POSITIVE_INFINITY,
        starts.get(key) ?? Number.POSITIVE_INFINITY,
      );
      const state = applicationIdentity(ref, facts, since, this.#rule.trust);
      const restatement = restatementOf(before?.state, state, {
        ended: endedNow.has(key),
        // Who never ran is known at the end, and costs less: also those that are sure of theirs.
        whole: this.#policy['never-run'] !== 100,
      });
      return [key, { own: true, before, state, facts, restatement }];
    });
    return new Map(entries);
  }

  #told(
    { record, applicationRef }: Work,
    applications: ReadonlyMap<string, ApplicationWork>,
    now: Instant,
  ): ContainerTold {
    const application = must(applications.get(applicationKey(applicationRef)), 'application');
    const { trust } = this.#rule;
    const applicationEnd = (attempt: string, witness: Witness): Instant | undefined =>
      attemptEnd(application.facts, attempt, [witness, ...trust]) ?? application.state.ended;
    return containerLife({ ...record, applicationEnd }, now, this.#options.leaseMs, this.#rule);
  }

  /** A minimum charge is of the whole life, once that is over. */
  #looked(work: Work, life: ContainerLife | undefined, now: Instant): Work {
    const closes = life !== undefined && isOver(life, now);
    if (!closes || !this.#options.tariff.of(work.cluster).hasMinimum()) return work;
    return { ...work, from: Number.NEGATIVE_INFINITY };
  }

  async #meter(
    works: readonly Work[],
    told: readonly ContainerTold[],
    applications: ReadonlyMap<string, ApplicationWork>,
    now: Instant,
  ): Promise<Pick<Settlement, 'charges' | 'containers'>> {
    const closedUntil = await this.#stores.ledger.closedUntil();
    const nets = await this.#nets(works);
    const epochsOf = await this.#epochs(works, told, now);
    const states = [...applications.values()].map(({ state }) => state);
    const promised = await promiseOf(this.#stores.promises, states);
    const charges: Settlement['charges'][number][] = [];
    const containers: ContainerState[] = [];
    for (const [index, work] of works.entries()) {
      const life = told[index]?.life;
      if (life === undefined) continue;
      const application = must(
        applications.get(applicationKey(work.applicationRef)),
        'application',
      );
      const { state } = application;
      const outcome = outcomeOf(life, work.record.facts, {
        facts: application.facts,
        attempts: state.attempts,
      });
      const printed = printOutcome(outcome, this.#policy);
      const tariff = this.#options.tariff.of(work.cluster);
      const payer = {
        cluster: work.cluster,
        container: work.container,
        application: state.application,
        project: state.project,
        role: life.role,
        tags: canonicalTags(state.tags),
        ...(printed === '' ? {} : { outcome: printed }),
      };
      const metered = meterContainer(
        { life, payer, from: work.from, outcome },
        nets.get(containerKey(work)) ?? [],
        {
          ...this.#options,
          ...{ now, closedUntil, tariff },
          epochs: promisedEpochs(epochsOf(work.cluster), promised(state), {
            project: state.project,
            pool: this.#options.poolOf(work.cluster),
          }),
        },
      );
      charges.push(...metered.charges);
      containers.push(metered.state);
    }
    return { charges, containers };
  }

  async #nets(works: readonly Work[]): Promise<Map<string, NetCharge[]>> {
    const whole = works.filter(({ from }) => from === Number.NEGATIVE_INFINITY);
    const rest = works.filter(({ from }) => from !== Number.NEGATIVE_INFINITY);
    const nets = await this.#stores.ledger.inForce(whole, Number.MIN_SAFE_INTEGER);
    if (rest.length === 0) return nets;
    const since = Math.min(...rest.map(({ from }) => from));
    const from = new Map(rest.map((work) => [containerKey(work), work.from]));
    for (const [key, lines] of await this.#stores.ledger.inForce(rest, since)) {
      nets.set(
        key,
        lines.filter(({ charge }) => charge.hour >= (from.get(key) ?? 0)),
      );
    }
    return nets;
  }

  /** The epochs that these containers' uncharged time needs, read once for each pool. */
  async #epochs(works: readonly Work[], told: readonly ContainerTold[], now: Instant) {
    const starts = new Map<string, Instant>();
    for (const [index, work] of works.entries()) {
      const pool = this.#options.poolOf(work.cluster);
      const life = told[index]?.life;
      if (pool === undefined || life === undefined) continue;
      const start = Math.max(life.start, work.from);
      starts.set(pool, Math.min(starts.get(pool) ?? now, start));
    }
    const epochs = new Map(
      await Promise.all(
        [...starts].map(
          async ([pool, start]) =>
            [pool, await this.#stores.prices.epochs(pool, start, now + 1)] as const,
        ),
      ),
    );
    return (cluster: string) => {
      const pool = this.#options.poolOf(cluster);
      return pool === undefined ? [] : (epochs.get(pool) ?? []);
    };
  }
}

/** The applications that the settlement writes, and those whose containers it does. */
function touchedBy(
  { containers }: Pick<Settlement, 'containers'>,
  applications: ReadonlyMap<string, ApplicationWork>,
): ApplicationWork[] {
  const named = new Set(containers.map((state) => applicationKey(state)));
  return [...applications].flatMap(([key, work]) => (work.own || named.has(key) ? [work] : []));
}

/** Of the earliest start, as containerLife reads it; of any fact where there is none. */
function applicationOf(
  { cluster }: ContainerRef,
  facts: readonly ContainerFact[],
): { cluster: string; application: string } {
  const starts = facts.filter(({ kind }) => kind === 'container-started');
  const [first] = (starts.length > 0 ? starts : facts).toSorted(
    (a, b) => a.at - b.at || (a.id < b.id ? -1 : 1),
  );
  return { cluster, application: must(first, 'a container has a fact').application };
}

function earliestStarts(works: readonly Work[]): Map<string, Instant> {
  const starts = new Map<string, Instant>();
  for (const { record, applicationRef } of works) {
    const key = applicationKey(applicationRef);
    for (const { at } of record.facts) {
      starts.set(key, Math.min(starts.get(key) ?? Number.POSITIVE_INFINITY, at));
    }
  }
  return starts;
}

function restatementOf(
  before: ApplicationState | undefined,
  after: ApplicationState,
  now: { readonly ended: boolean; readonly whole: boolean },
): Restatement | undefined {
  if (before === undefined) return undefined;
  const { cluster, application } = after;
  const changed =
    before.project !== after.project || canonicalTags(before.tags) !== canonicalTags(after.tags);
  const { attempts } = after;
  const retried = attempts.length > 1 && attempts.length !== before.attempts.length;
  const ended = now.ended || before.ended !== after.ended;
  if (changed || retried || (ended && now.whole))
    return { cluster, application, containers: 'all' };
  return ended ? { cluster, application, containers: 'unsure' } : undefined;
}
