import { Worker } from 'node:worker_threads';
import { connectRpc } from '../../shared/runtime/worker-rpc.ts';
import { workerUrl } from '../../shared/runtime/worker-url.ts';
import type { TollgateConfig } from './config.ts';
import type { PartData, PartName, RunningPart } from './part.ts';

/** What a part's thread is given when it starts. */
export interface PartThreadData {
  readonly name: PartName;
  readonly data: PartData<TollgateConfig>;
}

/**
 * Starts a part in a thread of its own and waits until it has opened its stores and inputs.
 *
 * @param onCrash called once when the thread ends without having been asked to
 */
export async function startThread(
  name: PartName,
  data: PartData<TollgateConfig>,
  onCrash: (name: string, error: unknown) => void,
): Promise<RunningPart> {
  const workerData: PartThreadData = { name, data };
  const worker = new Worker(workerUrl(import.meta.url, './part-worker'), { workerData });
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
