import type { Random } from './random.ts';
import type { SimProgress } from './sim-event.ts';
import { demand, type Workload } from './workload.ts';

const PARTITIONS = 4;
const TRIGGER_MS = 10_000;
/** A stalling query works for 20 minutes, then commits without moving for 15, and so on. */
const WORKS_MS = 20 * 60_000;
const STALLS_MS = 15 * 60_000;

function uuid(random: Random): string {
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => random.between(0, 15).toString(16)).join('');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}

/** A Kafka source with its producer, read in micro-batches. */
export class StreamingQuery {
  readonly id: string;
  readonly runId: string;
  readonly #workload: Workload;
  readonly #random: Random;
  #batchId = 0;
  #triggerStart = 0;
  #nextTrigger = 0;
  #producedAt = 0;
  #firstAt = 0;
  #latest: number[];
  #committed: number[];
  #planned: number[] = [];

  constructor(workload: Workload, random: Random) {
    this.#workload = workload;
    this.#random = random;
    this.id = uuid(random);
    this.runId = uuid(random);
    this.#committed = Array.from({ length: PARTITIONS }, () => random.between(1e6, 9e6));
    this.#latest = [...this.#committed];
  }

  #stalled(now: number): boolean {
    if (this.#workload.fault !== 'stalls') return false;
    return (now - this.#firstAt) % (WORKS_MS + STALLS_MS) > WORKS_MS;
  }

  #produce(now: number): void {
    if (this.#producedAt === 0) [this.#producedAt, this.#firstAt] = [now - TRIGGER_MS, now];
    const seconds = (now - this.#producedAt) / 1_000;
    const rate = (this.#workload.rowsPerSecond ?? 0) * demand(this.#workload.shape, now);
    this.#latest = this.#latest.map(
      (offset) =>
        offset + Math.round((rate * seconds * (0.8 + 0.4 * this.#random.next())) / PARTITIONS),
    );
    this.#producedAt = now;
  }

  /** Whether a micro-batch begins now; plans its offsets. */
  triggers(now: number): boolean {
    if (now < this.#nextTrigger) return false;
    this.#produce(now);
    this.#triggerStart = now;
    this.#nextTrigger = now + TRIGGER_MS;
    this.#planned = this.#stalled(now) ? [...this.#committed] : [...this.#latest];
    return true;
  }

  /** Ends the micro-batch that began last and tells its progress. */
  commit(now: number): SimProgress {
    const start = this.#committed;
    const end = this.#planned;
    this.#produce(now);
    this.#committed = end;
    const rows = end.reduce((sum, offset, i) => sum + offset - (start[i] ?? offset), 0);
    const triggerMs = Math.max(1, now - this.#triggerStart);
    return {
      id: this.id,
      runId: this.runId,
      name: this.#workload.name,
      batchId: this.#batchId++,
      triggerMs,
      rows,
      inputRate: (rows * 1_000) / TRIGGER_MS,
      processedRate: (rows * 1_000) / triggerMs,
      stateRows: 40_000 + Math.round(rows / 3),
      topic: `${this.#workload.project}.events`,
      start,
      end,
      latest: [...this.#latest],
    };
  }
}
