/** Partitions beyond this are not told apart; Spark itself gives up long before. */
const MAX_PARTITIONS = 1 << 24;
const MAX_HELD_BYTES = 16 * 1024 * 1024;
/** What one stage costs beside its bits. */
const STAGE_BYTES = 128;

interface Stage {
  bits: Uint8Array;
  succeeded: number;
  /** Tasks of the first attempt, which are all partitions; 0 while unknown. */
  tasks: number;
}

/**
 * Tells whether a task's success is the first for its partition. A partition that succeeds again
 * was run again: after a fetch failure, a lost executor or a speculative copy.
 *
 * Before Spark 3.3 (SPARK-37831) tasks don't name their partition, and the index counts within the
 * attempt. A retried stage's successes are then taken as repeats once there were as many as the
 * stage has partitions. The oldest stages are forgotten when they hold too much memory.
 */
export class StageRepeats {
  readonly #stages = new Map<number, Stage>();
  #heldBytes = 0;

  #stage(id: number): Stage {
    let stage = this.#stages.get(id);
    if (stage === undefined) {
      stage = { bits: new Uint8Array(0), succeeded: 0, tasks: 0 };
      this.#stages.set(id, stage);
      this.#heldBytes += STAGE_BYTES;
      this.#forget();
    }
    return stage;
  }

  #forget(): void {
    for (const [id, stage] of this.#stages) {
      if (this.#heldBytes <= MAX_HELD_BYTES || this.#stages.size === 1) return;
      this.#stages.delete(id);
      this.#heldBytes -= STAGE_BYTES + stage.bits.length;
    }
  }

  submitted(stageId: number, attempt: number, tasks: number): void {
    if (attempt === 0) this.#stage(stageId).tasks = tasks;
  }

  /** True when this success is the partition's first. */
  isFirst(success: {
    readonly stageId: number;
    readonly attempt: number;
    readonly index: number;
    readonly partition: number | undefined;
  }): boolean {
    const stage = this.#stage(success.stageId);
    if (success.partition === undefined && success.attempt > 0) {
      stage.succeeded += 1;
      return stage.tasks === 0 || stage.succeeded <= stage.tasks;
    }
    const partition = success.partition ?? success.index;
    if (partition < 0 || partition >= MAX_PARTITIONS) return true;
    const at = partition >> 3;
    const bit = 1 << (partition & 7);
    if (at >= stage.bits.length) {
      const grown = new Uint8Array(Math.max(at + 1, stage.bits.length * 2, 16));
      grown.set(stage.bits);
      this.#heldBytes += grown.length - stage.bits.length;
      stage.bits = grown;
      this.#forget();
    }
    if (((stage.bits[at] ?? 0) & bit) !== 0) return false;
    stage.bits[at] = (stage.bits[at] ?? 0) | bit;
    stage.succeeded += 1;
    return true;
  }
}
