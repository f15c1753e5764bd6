import { Worker } from 'node:worker_threads';
import { AppError } from '../../shared/errors/app-error.ts';
import type { CatchUp } from '../../shared/runtime/catch-up-clock.ts';
import { connectRpc, type RpcClient } from '../../shared/runtime/worker-rpc.ts';
import { workerUrl } from '../../shared/runtime/worker-url.ts';
import type { StoresSetup } from '../../shared/stores/config.ts';
import { Metrics, type MetricsSnapshot } from '../../shared/telemetry/metrics.ts';

/**
 * What a process does: takes records in, charges, or answers. `tollgate start` does all; each role
 * may have processes of its own where the stores are servers.
 */
export const ROLES = ['collect', 'meter', 'serve'] as const;
export type Role = (typeof ROLES)[number];

/** What every thread is given. Plain data, since it is copied. */
export interface ThreadData<C> {
  readonly config: C;
  readonly setup: StoresSetup;
  readonly roles: readonly Role[];
  readonly catchUp: CatchUp | undefined;
  readonly logLevel: string;
}

/** A thread with its part of Tollgate. */
export interface Thread extends AsyncDisposable {
  readonly name: string;
  readonly rpc: RpcClient;
  metrics(): Promise<MetricsSnapshot>;
}

/**
 * Starts `<name>-worker` and waits until it has opened its stores and inputs.
 *
 * @param onCrash called once when the thread ends without having been asked to
 */
export async function startThread<C>(
  name: string,
  data: ThreadData<C>,
  onCrash: (name: string, error: unknown) => void,
): Promise<Thread> {
  const worker = new Worker(workerUrl(import.meta.url, `./${name}-worker`), { workerData: data });
  const rpc = connectRpc(worker);
  let stopping = false;
  let failure: unknown;
  const exited = new Promise<void>((resolve) => {
    worker.once('error', (error) => {
      failure = error;
    });
    worker.once('exit', (code) => {
      if (!stopping) onCrash(name, failure ?? new Error(`the ${name} thread ended with ${code}`));
      resolve();
    });
  });
  try {
    await rpc.call('start', []);
  } catch (error) {
    stopping = true;
    await worker.terminate();
    throw failure ?? error;
  }
  return {
    name,
    rpc,
    metrics: () => rpc.call('metrics', []),
    async [Symbol.asyncDispose]() {
      stopping = true;
      await rpc.call('stop', []).finally(() => worker.terminate());
      await exited;
    },
  };
}

/** A thread that starts with its first call, since many processes never need it. */
export function threadOnDemand<C>(
  name: string,
  data: ThreadData<C>,
  onCrash: (name: string, error: unknown) => void,
): Thread {
  let starting: Promise<Thread> | undefined;
  let closed = false;
  const started = (): Promise<Thread> => {
    if (closed) throw new AppError('STORE_UNAVAILABLE', `the ${name} part is stopping`);
    starting ??= startThread(name, data, onCrash).catch((error: unknown) => {
      // A store that was away may be there for the next call.
      starting = undefined;
      throw error;
    });
    return starting;
  };
  return {
    name,
    rpc: {
      async call(method, args, transfer) {
        return await (await started()).rpc.call(method, args, transfer);
      },
    },
    async metrics() {
      const thread = await starting?.catch(() => undefined);
      return (await thread?.metrics()) ?? new Metrics().snapshot();
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      const thread = await starting?.catch(() => undefined);
      await thread?.[Symbol.asyncDispose]();
    },
  };
}
