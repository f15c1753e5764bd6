import type { TargetReader } from '../../../shared/clusters/cluster-actuator.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { ApplicationWatch } from '../../../shared/stores/application-watch.ts';
import type { GrantStore } from '../../../shared/stores/grant-store.ts';
import type { JournalReader } from '../../../shared/stores/journal.ts';
import type { LedgerReader } from '../../../shared/stores/ledger-reader.ts';
import type { LogReader } from '../../../shared/stores/log-store.ts';
import type { MetricReader } from '../../../shared/stores/metric-store.ts';
import type { OutboxStore } from '../../../shared/stores/outbox-store.ts';
import type { PriceEvaluationReader, PriceReader } from '../../../shared/stores/price-book.ts';
import type { Quarantine } from '../../../shared/stores/quarantine.ts';
import type { SpendingReader } from '../../../shared/stores/spending-reader.ts';
import type { WorkloadReader } from '../../../shared/stores/workload-reader.ts';
import type { Nanocredits } from '../../../shared/values/money.ts';
import type { Resources } from '../../../shared/values/resources.ts';
import type { TollgateSight } from './tollgate-sight.ts';

/** What signals are read from. */
export interface SignalDeps {
  readonly metrics: Pick<MetricReader, 'query' | 'latest'>;
  readonly logs: Pick<LogReader, 'search' | 'fingerprints' | 'countByApplication'>;
  readonly ledger: Pick<LedgerReader, 'projects' | 'balance' | 'outcomes'>;
  readonly spending: SpendingReader;
  readonly grants: Pick<GrantStore, 'grants' | 'book'>;
  readonly workloads: WorkloadReader;
  readonly applications: ApplicationWatch;
  readonly journal: Pick<
    JournalReader,
    'applications' | 'containers' | 'loads' | 'nodes' | 'nodeFacts'
  >;
  readonly prices: PriceReader & PriceEvaluationReader;
  readonly quarantine: Pick<Quarantine, 'count'>;
  readonly outbox: Pick<OutboxStore, 'status'>;
  /** Configured clusters. */
  readonly clusters: readonly string[];
  /** Configured pools. */
  readonly pools: readonly string[];
  /** Of the clusters that tell their own state. */
  readonly targets: ReadonlyMap<string, Pick<TargetReader, 'cluster'>>;
  /** Credits an hour that such resources of a cluster cost at `at`; undefined where nobody knows. */
  readonly creditsPerHour: (
    cluster: string,
    resources: Resources,
    at: number,
  ) => Promise<Nanocredits | undefined>;
  readonly tollgate: TollgateSight;
  readonly clock: Clock;
}
