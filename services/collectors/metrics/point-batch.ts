import { createHash } from 'node:crypto';
import type { PointBlock, SeriesRef } from '../../../shared/contracts/metric-point.ts';
import type { QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import type { Instant } from '../../../shared/values/instant.ts';

const MAX_RAW = 64 * 1024;

/** What was read and waits to be stored: points in columns, and the fates of what isn't kept. */
export class PointBatch {
  #series = new Uint32Array(4096);
  #at = new Float64Array(4096);
  #value = new Float64Array(4096);
  #length = 0;
  #quarantinedBytes = 0;
  readonly dropped = new Map<string, number>();
  readonly quarantined: QuarantinedRecord[] = [];

  add(ref: SeriesRef, at: Instant, value: number): void {
    if (this.#length === this.#series.length) this.#grow();
    this.#series[this.#length] = ref;
    this.#at[this.#length] = at;
    this.#value[this.#length] = value;
    this.#length += 1;
  }

  #grow(): void {
    const series = new Uint32Array(this.#length * 2);
    const at = new Float64Array(this.#length * 2);
    const value = new Float64Array(this.#length * 2);
    series.set(this.#series);
    at.set(this.#at);
    value.set(this.#value);
    this.#series = series;
    this.#at = at;
    this.#value = value;
  }

  drop(reason: string): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + 1);
  }

  /** A line has no identity but its text: the same one from the same source waits once. */
  quarantine(refused: {
    readonly source: string;
    readonly reason: string;
    readonly raw: string;
    readonly project: string;
    readonly observedAt: Instant;
  }): void {
    const raw = refused.raw.slice(0, MAX_RAW);
    const hash = createHash('sha256').update(`${refused.source}\n${raw}`).digest('hex');
    this.#quarantinedBytes += raw.length;
    this.quarantined.push({ ...refused, id: `metrics:${hash}`, collector: 'metrics', raw });
  }

  get length(): number {
    return this.#length;
  }

  /** Of the memory it takes; 20 bytes a point, and what refused lines hold. */
  get bytes(): number {
    return this.#length * 20 + this.#quarantinedBytes + this.quarantined.length * 400;
  }

  get isEmpty(): boolean {
    return this.#length === 0 && this.quarantined.length === 0 && this.dropped.size === 0;
  }

  get block(): PointBlock {
    return { series: this.#series, at: this.#at, value: this.#value, length: this.#length };
  }

  /** Makes it empty, keeping its memory. Its block must be stored by then. */
  clear(): void {
    this.#length = 0;
    this.#quarantinedBytes = 0;
    this.dropped.clear();
    this.quarantined.length = 0;
  }
}
