import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SeedOutcome, SeedWork } from './seed-worker.ts';

/**
 * Plays seeds in a thread of their own: the test runner follows every promise of its thread, which
 * takes two fifths of a simulation's time.
 *
 * @returns what the worlds count, summed
 */
export async function runSeeds(work: SeedWork): Promise<Readonly<Record<string, number>>> {
  const worker = new Worker(new URL('./seed-worker.ts', import.meta.url), { workerData: work });
  const [outcome] = (await once(worker, 'message')) as [SeedOutcome];
  await worker.terminate();
  if (outcome.failed === undefined) return outcome.total;
  const again = `npm run simulate -- --world ${work.world} --seed ${outcome.failed}`;
  return assert.fail(`seed ${outcome.failed} (${again})\n${outcome.why}`);
}
