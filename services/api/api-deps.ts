import type { EnforcementLevel } from '../../shared/contracts/action.ts';
import type { RestReplayLine } from '../../shared/contracts/rest-replay.ts';
import type { CreditPrice } from '../../shared/rating/currency-amount.ts';
import type { ProjectLimits } from '../../shared/rating/evaluate-limits.ts';
import type { ReadingRules } from '../../shared/rating/read-container.ts';
import type { Tariffs } from '../../shared/rating/tariff.ts';
import type { TariffBook } from '../../shared/rating/tariff-book.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { AlertStore } from '../../shared/stores/alert-store.ts';
import type { EnforcementDesk, EnforcementReader } from '../../shared/stores/enforcement-store.ts';
import type { ExplanationReader } from '../../shared/stores/explanation-reader.ts';
import type { GrantStore } from '../../shared/stores/grant-store.ts';
import type { JournalReader } from '../../shared/stores/journal.ts';
import type { LedgerReader } from '../../shared/stores/ledger-reader.ts';
import type { LogReader } from '../../shared/stores/log-store.ts';
import type { MetricReader } from '../../shared/stores/metric-store.ts';
import type { PeriodStore } from '../../shared/stores/period-store.ts';
import type { PriceEvaluationReader, PriceReader } from '../../shared/stores/price-book.ts';
import type { PriceFreezeStore } from '../../shared/stores/price-freezes.ts';
import type { Quarantine, QuarantinedRecord } from '../../shared/stores/quarantine.ts';
import type { QuoteStore } from '../../shared/stores/quote-store.ts';
import type { ReservationStore } from '../../shared/stores/reservation-store.ts';
import type { SilenceStore } from '../../shared/stores/silence-store.ts';
import type { SpendingReader } from '../../shared/stores/spending-reader.ts';
import type { StopOrderStore } from '../../shared/stores/stop-orders.ts';
import type { WorkloadReader } from '../../shared/stores/workload-reader.ts';
import type { RandomBytes } from '../../shared/tokens/api-token.ts';
import type { ExtendLinks } from '../../shared/tokens/extend-link.ts';
import type { Instant } from '../../shared/values/instant.ts';
import type { Interval } from '../../shared/values/interval.ts';
import type { PriceStep } from '../../shared/values/price-step.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import type { ApiLevels } from './check-levels.ts';
import type { QuotesConfig } from './quotes/config.ts';

/** A cluster as the configuration names it. */
export interface ClusterInfo {
  readonly id: string;
  readonly type: string;
  /** Its pool, or '' when no pool prices it. */
  readonly pool: string;
  /** Templates with {application} {attempt} {container} {user} {from} {until} {cluster}. */
  readonly links: {
    readonly sparkUi?: string | undefined;
    readonly historyServer?: string | undefined;
    readonly manager?: string | undefined;
    readonly logs?: string | undefined;
  };
}

/** What the meter charges by, for whoever computes a charge again. */
export interface MeteringRules extends ReadingRules {
  readonly tariff: Tariffs;
  /** Pool that prices a cluster; undefined: always at the base price. */
  readonly poolOf: (cluster: string) => string | undefined;
}

/** A window, on whole hours, and the tariff to charge it by. */
export interface TariffReplay extends Interval {
  readonly project: ProjectId | undefined;
  /** As it was written. */
  readonly tariff: Readonly<Record<string, unknown>>;
}

/** Enforcement as people see and steer it. */
export interface ApiEnforcement {
  readonly store: EnforcementReader & EnforcementDesk;
  /** As they are configured, with the levels of their ladders from mild to hard. */
  readonly policies: readonly {
    readonly id: string;
    readonly version: string;
    readonly levels: readonly EnforcementLevel[];
    /** By how much, and how often, the link of a message puts one of its actions off. */
    readonly extendMs: number;
    readonly extensionsMax: number;
  }[];
  /** Undefined where no secret is configured. */
  readonly links: ExtendLinks | undefined;
}

/** What the routes answer from. Each route takes only the parts that it names. */
export interface ApiDeps {
  readonly ledger: LedgerReader;
  readonly spending: SpendingReader;
  readonly prices: PriceReader & PriceEvaluationReader;
  readonly priceFreezes: PriceFreezeStore;
  readonly journal: JournalReader;
  readonly alerts: AlertStore;
  readonly silences: SilenceStore;
  readonly enforcement: ApiEnforcement;
  /** Why enforcement lets no new work of a project in; undefined where it does. */
  readonly deniedWork: (project: string) => string | undefined;
  readonly grants: GrantStore;
  readonly periods: PeriodStore;
  /** How long after its end a month may be closed. */
  readonly closeGraceMs: number;
  /** Undefined where no team and no organisation is configured. */
  readonly levels?: ApiLevels;
  readonly stopOrders: StopOrderStore;
  readonly reservations: ReservationStore;
  /** Quotas as configured; of a project that isn't, none. */
  readonly limitsOf: (project: string) => ProjectLimits;
  readonly explanations: ExplanationReader;
  readonly metering: MeteringRules;
  readonly quotes: QuoteStore;
  readonly workloads: WorkloadReader;
  readonly quoting: QuotesConfig;
  readonly random: RandomBytes;
  readonly logs: LogReader;
  readonly metricStore: MetricReader;
  readonly quarantine: Quarantine;
  /** Sends quarantined records through their collector again; undefined where none runs here. */
  readonly replay:
    | ((records: readonly QuarantinedRecord[]) => Promise<{ stored: number }>)
    | undefined;
  /** Charges a past window again under another tariff; ending the iteration ends the work. */
  readonly tariffReplays: (question: TariffReplay) => AsyncIterable<RestReplayLine>;
  readonly clusters: readonly ClusterInfo[];
  readonly pools: readonly string[];
  /** Prices that the rate card fixes, by project. */
  readonly fixedSteps: ReadonlyMap<string, PriceStep>;
  /** All cards, by pool and market. */
  readonly tariff: TariffBook;
  /** What a credit costs over the month that begins then; undefined where credits are all. */
  readonly creditPrice: (monthStart: Instant) => CreditPrice | undefined;
  /** Projects that are charged and never refused. */
  readonly isShadow: (project: string) => boolean;
  readonly clock: Clock;
  readonly startedAt: Instant;
  readonly mode: 'demo' | 'start';
  readonly version: string;
}

/** What a process answers from that collects or meters, and leaves the rest of the API to others. */
export type OperationDeps = Pick<
  ApiDeps,
  'quarantine' | 'replay' | 'clock' | 'startedAt' | 'mode' | 'version'
>;
