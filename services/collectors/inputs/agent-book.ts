import type { AgentHeartbeat, AgentOrders } from '../../../shared/contracts/agent.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import {
  STOP_STATES,
  type StopOrderStore,
  type StoredStop,
} from '../../../shared/stores/stop-orders.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import { HOUR_MS, type Instant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { type KnownApplications, knownProject } from '../containers/known-project.ts';

export interface AgentBookDeps {
  readonly orders: StopOrderStore;
  /** Whose an application is; asked only where somebody ordered something of it. */
  readonly known: KnownApplications;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

interface ApplicationRef {
  readonly cluster: string;
  readonly application: string;
}

/** A heartbeat, where it came from, and for whom its sender may speak; undefined for all. */
export interface HeartbeatFrom {
  readonly heartbeat: AgentHeartbeat;
  readonly cluster: string;
  readonly onlyProjects: readonly ProjectId[] | undefined;
}

interface Sender {
  heardAt: Instant;
  /** Lines that it has said to have lost. */
  lost: number;
}

/** Orders that nobody has taken for so long are forgotten: who gave them no longer waits. */
const ORDER_MAX_AGE_MS = HOUR_MS;
const REFRESH_MS = 1_000;
const ALIVE_MS = 60_000;
const MAX_AGENTS = 100_000;

const keyOf = ({ cluster, application }: ApplicationRef): string => `${cluster}\n${application}`;

/**
 * Answers agents' heartbeats from what is ordered. The orders are read again at most once a second,
 * whatever the number of agents; a heartbeat of an application without an order touches no store.
 */
export class AgentBook {
  readonly #deps: AgentBookDeps;
  readonly #senders = new Map<string, Sender>();
  readonly #lost: (labels: Record<string, never>, count: number) => void;
  readonly #alive: (labels: Record<string, never>, count: number) => void;
  #open: ReadonlyMap<string, StoredStop[]> = new Map();
  #reading: Promise<void> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(deps: AgentBookDeps) {
    this.#deps = deps;
    const { metrics } = deps;
    this.#lost = metrics.counter('tollgate_agent_lines_lost_total', 'Lines that agents dropped.');
    this.#alive = metrics.gauge('tollgate_agents', 'Agents heard of within the last minute.');
  }

  /** @throws AppError of the store of orders */
  async hear(from: HeartbeatFrom): Promise<AgentOrders> {
    const { heartbeat, cluster } = from;
    const ref = { cluster, application: heartbeat.application };
    this.#note(ref, heartbeat);
    await this.#refresh();
    const open = this.#open.get(keyOf(ref)) ?? [];
    if (open.length === 0 || !(await this.#mayKnow(ref, from.onlyProjects))) return { orders: [] };
    const { stop } = heartbeat;
    const told = open.find(({ id }) => id === stop?.order);
    if (stop !== undefined && told !== undefined) await this.#report(told, stop);
    return {
      orders: open
        .filter(({ id }) => id !== told?.id)
        .map(({ id, withinMs, force }) => ({ id, kind: 'stop', withinMs, force })),
    };
  }

  #note(ref: ApplicationRef, { dropped, ended }: AgentHeartbeat): void {
    const now = this.#deps.clock.now();
    const key = keyOf(ref);
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    const before = this.#senders.get(key)?.lost ?? 0;
    if (lost > before) this.#lost({}, lost - before);
    this.#senders.delete(key);
    if (!ended && this.#senders.size < MAX_AGENTS) this.#senders.set(key, { heardAt: now, lost });
    // The map is in the order of hearing.
    for (const [oldest, { heardAt }] of this.#senders) {
      if (heardAt > now - ALIVE_MS) break;
      this.#senders.delete(oldest);
    }
    this.#alive({}, this.#senders.size);
  }

  async #mayKnow(
    ref: ApplicationRef,
    onlyProjects: readonly ProjectId[] | undefined,
  ): Promise<boolean> {
    if (onlyProjects === undefined) return true;
    const project = await knownProject(this.#deps.known, ref);
    return project !== undefined && onlyProjects.includes(project);
  }

  async #report(
    told: StoredStop,
    { state, clean, message }: NonNullable<AgentHeartbeat['stop']>,
  ): Promise<void> {
    const isNews = state !== told.state || message !== told.message;
    if (!isNews || STOP_STATES.indexOf(state) < STOP_STATES.indexOf(told.state)) return;
    await this.#deps.orders.report(told.id, { state, clean, message }, this.#deps.clock.now());
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  async #refresh(): Promise<void> {
    if (this.#deps.clock.elapsed() - this.#readAt < REFRESH_MS) return;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { orders, clock } = this.#deps;
    const startedAt = clock.elapsed();
    const open = await orders.open(clock.now() - ORDER_MAX_AGE_MS);
    this.#open = Map.groupBy(open, keyOf);
    this.#readAt = startedAt;
  }
}
