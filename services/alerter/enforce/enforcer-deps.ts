import type { ClusterActuator, TargetReader } from '../../../shared/clusters/cluster-actuator.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { AlertStore } from '../../../shared/stores/alert-store.ts';
import type {
  EnforcementReader,
  EnforcementWriter,
} from '../../../shared/stores/enforcement-store.ts';
import type { HeldLease } from '../../../shared/stores/held-lease.ts';
import type { OutboxStore } from '../../../shared/stores/outbox-store.ts';
import type { StopOrderStore } from '../../../shared/stores/stop-orders.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { ExtendLinks } from '../../../shared/tokens/extend-link.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { LiveApplication } from './plan/plan-input.ts';
import type { EnforceRules, Policy } from './plan/policy.ts';
import type { SwitchedOn } from './read-switch.ts';

/** One cluster's applications at one moment. */
export interface LiveLook {
  readonly cluster: string;
  readonly at: Instant;
  /** Every application that waits or runs is in it. */
  readonly complete: boolean;
  /** Why it isn't complete; else ''. */
  readonly why: string;
  readonly applications: readonly Omit<LiveApplication, 'exempt' | 'cluster'>[];
}

/** Who runs what, on all clusters that are known, also those that don't answer. */
export interface LiveReader {
  look(signal: AbortSignal): Promise<LiveLook[]>;
}

/** How a cluster is read and acted on; without both it is only observed. */
export interface EnforcedCluster {
  readonly reader: TargetReader;
  readonly actuator: ClusterActuator;
}

export interface EnforceSettings {
  readonly policies: readonly Policy[];
  readonly rules: EnforceRules;
  readonly tickMs: number;
  /** How long after the question its effect must be seen. */
  readonly verifyMs: number;
  /** How long may pass between the last reading of a target and the question. */
  readonly actWithinMs: number;
  /** Receivers that are told when enforcement stops itself. */
  readonly operators: readonly string[];
  /** Signs exemptions in tags; without it all of them are ignored. */
  readonly secret: string | undefined;
  readonly longestExemptionMs: number;
}

export interface EnforcerDeps {
  readonly settings: EnforceSettings;
  readonly store: EnforcementReader & EnforcementWriter;
  readonly alerts: Pick<AlertStore, 'open' | 'alert'>;
  readonly outbox: Pick<OutboxStore, 'enqueue' | 'deliveries'>;
  readonly stopOrders: Pick<StopOrderStore, 'order' | 'ofApplication' | 'report'>;
  readonly live: LiveReader;
  readonly clusters: ReadonlyMap<string, EnforcedCluster>;
  /** The file's and the environment's switch. */
  readonly readSwitch: () => Promise<SwitchedOn>;
  readonly links: ExtendLinks | undefined;
  readonly lease: Pick<HeldLease, 'fence' | 'lost'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}
