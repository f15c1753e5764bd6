import type { Alert, AlertState } from '../../../../shared/contracts/alert.ts';
import type { Clock } from '../../../../shared/runtime/clock.ts';
import type { AlertStore } from '../../../../shared/stores/alert-store.ts';
import type { HeldLease } from '../../../../shared/stores/held-lease.ts';
import type { Logger } from '../../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../../shared/telemetry/metrics.ts';
import { formatInstant, type Instant, MINUTE_MS } from '../../../../shared/values/instant.ts';
import { httpResult } from './http-result.ts';
import type { OutboundHttp } from './outbound-http.ts';
import { alertmanagerAnnotations, alertmanagerLabels } from './webhook/alertmanager-alert.ts';

/** What never fired is nobody's concern. */
const TOLD: ReadonlySet<AlertState> = new Set(['firing', 'resolved', 'gone']);

/** How long an end is told again and again, so that a lost one heals (Prometheus: resolvedRetention). */
const ENDED_RETENTION_MS = 15 * MINUTE_MS;

/** A firing alert ends at an Alertmanager when it wasn't asserted this many times (Prometheus: 4). */
const MISSES = 4;

const ALERTS_PER_REQUEST = 500;

/** One Alertmanager; a cluster of them has one of these each, and all get everything. */
export interface AlertmanagerPeer {
  /** Its root, above `/api/v2/alerts`. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ForwarderDeps {
  readonly alerts: Pick<AlertStore, 'open'>;
  readonly peers: readonly AlertmanagerPeer[];
  readonly http: OutboundHttp;
  readonly clock: Clock;
  readonly resendMs: number;
  readonly consoleUrl: string;
  /** Of several processes one forwards; undefined where there is one. */
  readonly lease: HeldLease | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Tells Alertmanagers of all alerts, firing and ended, again and again: an Alertmanager keeps no
 * promise for longer than it was made, so that whatever is lost heals at the next round and nothing
 * is queued here. Grouping, silences and routes are then the Alertmanager's.
 */
export class AlertmanagerForwarder {
  readonly #deps: ForwarderDeps;
  readonly #count;

  constructor(deps: ForwarderDeps) {
    this.#deps = deps;
    this.#count = deps.metrics.counter(
      'tollgate_alertmanager_forwards_total',
      'Requests that told an Alertmanager of alerts, by outcome.',
    );
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, resendMs, logger, lease } = this.#deps;
    while (!signal.aborted) {
      try {
        if (lease === undefined || (await lease.fence()) !== undefined) await this.forward(signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error }, 'alerts are not forwarded: the alert store does not answer');
      }
      await clock.sleep(resendMs, signal);
    }
  }

  /** Tells every Alertmanager once; one that fails holds up no other. */
  async forward(signal: AbortSignal): Promise<void> {
    const { alerts, peers, clock } = this.#deps;
    const now = clock.now();
    const told = (await alerts.open(now - ENDED_RETENTION_MS)).flatMap((alert) =>
      TOLD.has(alert.state) ? [this.#json(alert, now)] : [],
    );
    await Promise.all(peers.map((peer) => this.#tell(peer, told, signal)));
  }

  #json(alert: Alert, now: Instant) {
    const endsAt = alert.endedAt ?? now + MISSES * this.#deps.resendMs;
    return {
      labels: alertmanagerLabels(alert),
      annotations: alertmanagerAnnotations(alert, []),
      startsAt: formatInstant(alert.firedAt ?? alert.activeSince),
      endsAt: formatInstant(endsAt),
      generatorURL: this.#deps.consoleUrl,
    };
  }

  async #tell(peer: AlertmanagerPeer, told: readonly unknown[], signal: AbortSignal) {
    const { http, logger } = this.#deps;
    const url = new URL(peer.url);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v2/alerts`;
    const headers = { 'content-type': 'application/json', ...peer.headers };
    for (let from = 0; from < told.length; from += ALERTS_PER_REQUEST) {
      const body = JSON.stringify(told.slice(from, from + ALERTS_PER_REQUEST));
      const result = httpResult(await http.request({ url, method: 'POST', headers, body }, signal));
      this.#count({ outcome: result.outcome });
      if (result.outcome === 'delivered') continue;
      logger.warn({ alertmanager: url.host, why: result.why }, 'an Alertmanager was not told');
      // The rest would fail alike; the next round tells all of it.
      if (result.outcome === 'later') return;
    }
  }
}
