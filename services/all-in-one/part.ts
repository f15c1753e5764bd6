import type { CatchUp } from '../../shared/runtime/catch-up-clock.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { Handlers, RpcClient } from '../../shared/runtime/worker-rpc.ts';
import type { StoresSetup } from '../../shared/stores/config.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { Metrics, MetricsSnapshot } from '../../shared/telemetry/metrics.ts';

/**
 * What a process does: takes records in, charges, alerts, or answers. `tollgate start` does all; each role
 * may have processes of its own where the stores are servers.
 */
export const ROLES = ['collect', 'meter', 'alert', 'serve'] as const;
export type Role = (typeof ROLES)[number];

/** Each has a thread of its own, unless the process has one for all. */
export type PartName = 'ledger' | 'logs' | 'metrics' | 'alerts' | 'search' | 'replay';

/** What every part is given. Plain data, since it is copied into the part's thread. */
export interface PartData<C> {
  readonly config: C;
  readonly setup: StoresSetup;
  readonly roles: readonly Role[];
  readonly catchUp: CatchUp | undefined;
  /** TOLLGATE_ENFORCEMENT of the environment, which turns enforcement off. */
  readonly enforcementWord: string | undefined;
  readonly logLevel: string;
}

/** What a part is built from. */
export interface PartDeps<C> {
  readonly config: C;
  readonly setup: StoresSetup;
  readonly roles: readonly Role[];
  readonly enforcementWord: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A part where it runs: its stores and inputs are open. */
export interface Part extends AsyncDisposable {
  /** What others may call. */
  readonly handlers: Handlers;
}

/** A part as the rest of the process sees it. */
export interface RunningPart extends AsyncDisposable {
  readonly name: string;
  readonly rpc: RpcClient;
  metrics(): Promise<MetricsSnapshot>;
}
