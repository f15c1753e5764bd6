import type { Level, LevelUse } from '../grants/evaluate-levels.ts';
import type { Instant } from '../values/instant.ts';
import type { Fence } from './lease.ts';

/** What the API reads of the levels above projects. */
export interface LevelReader {
  /** By key; one that was never summed is missing. */
  uses(keys: readonly string[]): Promise<ReadonlyMap<string, LevelUse>>;
}

/** What the meter keeps of them. */
export interface LevelStore extends LevelReader {
  /**
   * Sums what the projects of each level have used this month and have left.
   *
   * @param fence of the lease under which it is done: FENCED when another holder has it by now
   */
  keep(levels: readonly Level[], now: Instant, fence?: Fence): Promise<void>;
}
