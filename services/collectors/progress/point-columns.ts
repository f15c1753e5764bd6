import type { PointBlock, SeriesRef } from '../../../shared/contracts/metric-point.ts';

/** Collects points into the columns that a metric writer takes. */
export class PointColumns {
  #series = new Uint32Array(1_024);
  #at = new Float64Array(1_024);
  #value = new Float64Array(1_024);
  #length = 0;

  add(series: SeriesRef, at: number, value: number): void {
    if (this.#length === this.#series.length) this.#grow();
    this.#series[this.#length] = series;
    this.#at[this.#length] = at;
    this.#value[this.#length] = value;
    this.#length += 1;
  }

  block(): PointBlock {
    return { series: this.#series, at: this.#at, value: this.#value, length: this.#length };
  }

  #grow(): void {
    const capacity = this.#series.length * 2;
    const series = new Uint32Array(capacity);
    const at = new Float64Array(capacity);
    const value = new Float64Array(capacity);
    series.set(this.#series);
    at.set(this.#at);
    value.set(this.#value);
    this.#series = series;
    this.#at = at;
    this.#value = value;
  }
}
