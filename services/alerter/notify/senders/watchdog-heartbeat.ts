import type { Clock } from '../../../../shared/runtime/clock.ts';
import type { Logger } from '../../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../../shared/telemetry/metrics.ts';
import { formatInstant } from '../../../../shared/values/instant.ts';
import { httpResult } from './http-result.ts';
import type { OutboundHttp } from './outbound-http.ts';

export interface WatchdogDeps {
  /** Of a dead man's switch outside, which pages when nothing comes. A secret. */
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly intervalMs: number;
  readonly http: OutboundHttp;
  readonly clock: Clock;
  /**
   * Why alerts wouldn't arrive now (nothing is evaluated, the outbox doesn't empty); undefined when
   * they would. A heart that beats whatever happens would hide just what it is for.
   */
  readonly trouble: () => Promise<string | undefined>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** The Watchdog: beats outside while alerts work, so that silence of Tollgate itself pages somebody. */
export class WatchdogHeartbeat {
  readonly #deps: WatchdogDeps;
  readonly #count;

  constructor(deps: WatchdogDeps) {
    this.#deps = deps;
    this.#count = deps.metrics.counter(
      'tollgate_watchdog_beats_total',
      'Heartbeats to the outside, by outcome; withheld: alerts would not arrive.',
    );
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.beat(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#count({ outcome: 'withheld' });
        this.#deps.logger.error({ err: error }, 'the Watchdog is silent: its check failed');
      }
      await this.#deps.clock.sleep(this.#deps.intervalMs, signal);
    }
  }

  /** One beat, unless there is trouble. */
  async beat(signal: AbortSignal): Promise<void> {
    const { url, method, http, clock, trouble, logger } = this.#deps;
    const why = await trouble();
    if (why !== undefined) {
      this.#count({ outcome: 'withheld' });
      logger.error({ why }, 'the Watchdog is silent: alerts would not arrive');
      return;
    }
    const said = { alertname: 'Watchdog', at: formatInstant(clock.now()) };
    const body = method === 'POST' ? JSON.stringify(said) : undefined;
    const headers: Record<string, string> =
      body === undefined ? {} : { 'content-type': 'application/json' };
    const result = httpResult(await http.request({ url, method, headers, body }, signal));
    this.#count({ outcome: result.outcome });
    if (result.outcome !== 'delivered') {
      logger.warn({ watchdog: url.host, why: result.why }, 'the Watchdog was not heard');
    }
  }
}
