import type { PriceEpoch, PriceEvaluation } from '../contracts/charge.ts';
import type { Instant } from '../values/instant.ts';
import type { Fence } from './lease.ts';

export interface PriceReader {
  /** Epochs of a pool that touch `[from, until)`, in order of start; the last may be open. */
  epochs(pool: string, from: Instant, until: Instant): Promise<PriceEpoch[]>;
}

export interface PriceEvaluationReader {
  /** What was last thought about a pool's price. */
  evaluation(pool: string): Promise<PriceEvaluation | undefined>;
}

export interface PriceWriter extends PriceReader, PriceEvaluationReader {
  /**
   * Appends an epoch, closing the open one at its start. Refuses (CONFLICT) a start that isn't
   * after every recorded start of the pool; repeating the same epoch is a no-op.
   *
   * @param fence of the lease under which it was decided: FENCED when another holder has it by now
   */
  announce(epoch: PriceEpoch, storedAt: Instant, fence?: Fence): Promise<void>;
  /**
   * Keeps an evaluation in the place of the one before it, and announces what it came to: both or
   * neither. Refuses (CONFLICT) one that isn't later than the one kept; repeating it is a no-op.
   */
  conclude(
    evaluation: PriceEvaluation,
    epoch: PriceEpoch | undefined,
    storedAt: Instant,
    fence?: Fence,
  ): Promise<void>;
}
