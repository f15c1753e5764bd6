import { parentPort, workerData } from 'node:worker_threads';
import { must } from '../../shared/errors/assert.ts';
import { catchUpClock } from '../../shared/runtime/catch-up-clock.ts';
import { type Clock, systemClock } from '../../shared/runtime/clock.ts';
import { type Handlers, serveRpc } from '../../shared/runtime/worker-rpc.ts';
import type { StoresSetup } from '../../shared/stores/config.ts';
import { createLogger, type Logger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import type { Role, ThreadData } from './thread.ts';

/** What a thread's part is built from. */
export interface ThreadDeps<C> {
  readonly config: C;
  readonly setup: StoresSetup;
  readonly roles: readonly Role[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface ThreadPart extends AsyncDisposable {
  /** What other threads may call. */
  readonly handlers: Handlers;
}

/** The body of every worker entry: serves `start`, `stop`, `metrics` and what the part offers. */
export function runThread<C>(
  name: string,
  open: (deps: ThreadDeps<C>) => Promise<ThreadPart>,
): void {
  const port = must(parentPort, 'a worker entry runs in a worker');
  const data = workerData as ThreadData<C>;
  const metrics = new Metrics();
  let part: ThreadPart | undefined;
  const handlers: Record<string, Handlers[string]> = {
    async start() {
      part = await open({
        config: data.config,
        setup: data.setup,
        roles: data.roles,
        clock: data.catchUp === undefined ? systemClock : catchUpClock(systemClock, data.catchUp),
        random: Math.random,
        logger: createLogger(name, data.logLevel),
        metrics,
      });
      for (const [method, handler] of Object.entries(part.handlers)) handlers[method] = handler;
    },
    async stop() {
      await part?.[Symbol.asyncDispose]();
    },
    async metrics() {
      return metrics.snapshot();
    },
  };
  serveRpc(port, handlers);
}
