import { parentPort, workerData } from 'node:worker_threads';
import { must } from '../../shared/errors/assert.ts';
import { WORLDS, type WorldName } from './worlds.ts';

export interface SeedWork {
  readonly world: WorldName;
  readonly from: number;
  readonly seeds: number;
}

/** What the seeds came to, summed, or the first that fails. */
export type SeedOutcome =
  | { readonly failed: undefined; readonly total: Readonly<Record<string, number>> }
  | { readonly failed: number; readonly why: string };

async function run({ world, from, seeds }: SeedWork): Promise<SeedOutcome> {
  const total: Record<string, number> = {};
  for (let seed = from; seed < from + seeds; seed += 1) {
    try {
      for (const [what, count] of Object.entries(await WORLDS[world].run(seed))) {
        total[what] = (total[what] ?? 0) + count;
      }
    } catch (error) {
      return {
        failed: seed,
        why: error instanceof Error ? (error.stack ?? error.message) : `${error}`,
      };
    }
  }
  return { failed: undefined, total };
}

must(parentPort, 'it runs in a worker').postMessage(await run(workerData as SeedWork));
