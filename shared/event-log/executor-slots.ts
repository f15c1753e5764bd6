import type { Instant } from '../values/instant.ts';
import { addSlotTotals, NO_SLOT_TIME, SlotTime, type SlotTotals } from './slot-time.ts';
import { StageRepeats } from './stage-repeats.ts';
import type { TaskEvent } from './task-line.ts';

interface Executor {
  readonly slots: SlotTime;
  /** Launch times of tasks that haven't ended, by task id. */
  readonly running: Map<number, Instant>;
  end: { readonly at: Instant; readonly released: boolean } | undefined;
}

/** Tasks of a lost executor end after it; so many ended executors are kept to wait for them. */
const MAX_ENDED = 256;
const MAX_RUNNING = 200_000;

/** Slot time of all executors of one attempt, in memory that doesn't grow with its tasks. */
export class ExecutorSlots {
  readonly #executors = new Map<string, Executor>();
  readonly #ended: string[] = [];
  readonly #repeats = new StageRepeats();
  #folded: SlotTotals = NO_SLOT_TIME;
  #running = 0;
  /** Sum of `Executor Run Time` of all ended tasks. */
  taskRunMs = 0;
  /** Task events that named an executor that isn't known (any more). */
  strangers = 0;

  added(executor: string, at: Instant, slots: number): void {
    this.#executors.set(executor, {
      slots: new SlotTime(at, slots),
      running: new Map(),
      end: undefined,
    });
  }

  /** @param released because it had nothing to do */
  removed(executor: string, at: Instant, released: boolean): void {
    const found = this.#executors.get(executor);
    if (found === undefined || found.end !== undefined) return;
    found.end = { at, released };
    this.#ended.push(executor);
    if (this.#ended.length <= MAX_ENDED) return;
    const oldest = this.#ended.shift() ?? '';
    const gone = this.#executors.get(oldest);
    if (gone === undefined) return;
    this.#folded = addSlotTotals(this.#folded, this.#totalsOf(gone, at, true));
    this.#running -= gone.running.size;
    this.#executors.delete(oldest);
  }

  taskStarted(task: TaskEvent): void {
    const executor = this.#executors.get(task.executor);
    if (executor === undefined) {
      this.strangers += 1;
      return;
    }
    executor.slots.launched(task.launch);
    if (this.#running >= MAX_RUNNING || executor.running.has(task.taskId)) return;
    executor.running.set(task.taskId, task.launch);
    this.#running += 1;
  }

  taskEnded(task: TaskEvent): void {
    // Spark repeats the end of a task whose output was lost; its time is counted already.
    if (task.reason === 'Resubmitted') return;
    this.taskRunMs += task.runMs;
    const executor = this.#executors.get(task.executor);
    const isUseful =
      task.reason === 'Success' &&
      this.#repeats.isFirst({
        stageId: task.stageId,
        attempt: task.stageAttempt,
        index: task.index,
        partition: task.partition,
      });
    if (executor === undefined) {
      this.strangers += 1;
      return;
    }
    if (executor.running.delete(task.taskId)) this.#running -= 1;
    executor.slots.add(task.launch, Math.max(task.launch, task.finish), isUseful);
  }

  stageSubmitted(stageId: number, attempt: number, tasks: number): void {
    this.#repeats.submitted(stageId, attempt, tasks);
  }

  #totalsOf(executor: Executor, now: Instant, isOver: boolean): SlotTotals {
    return executor.slots.totals({
      at: executor.end?.at ?? now,
      released: executor.end?.released ?? false,
      running: [...executor.running.values()],
      runningIsUseful: !isOver && executor.end === undefined,
    });
  }

  /**
   * The split so far. @param isOver the attempt is over: a task that never ended is wasted then,
   * and useful as far as one can tell before.
   */
  totals(now: Instant, isOver: boolean): SlotTotals {
    let sum = this.#folded;
    for (const executor of this.#executors.values()) {
      sum = addSlotTotals(sum, this.#totalsOf(executor, now, isOver));
    }
    return sum;
  }
}
