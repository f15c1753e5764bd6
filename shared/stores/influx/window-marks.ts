import { HOUR_MS, type Instant, utcHour } from '../../values/instant.ts';
import { encodeValue, lineKey } from './influx-name.ts';

/** Measurement in the raw policy that says when points of a project's hour were last written. */
export const WINDOW_MEASUREMENT = 'tollgate_window';

/** Clocks of writers and of who aggregates may differ by so much. */
export const CLOCK_SKEW_MS = 60_000;
const MAX_MARKED = 100_000;

/**
 * Which hours of which projects a writer wrote to. An hour that is still coming in is marked once;
 * one that may have been aggregated already is marked with every write, so that it is done again.
 */
export class WindowMarks {
  readonly #graceMs: number;
  readonly #marked = new Set<string>();
  readonly #touched = new Map<string, { project: string; hour: Instant }>();
  #project = '';
  #hour: Instant = Number.NaN;

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  touch(project: string, at: Instant): void {
    if (project === this.#project && at >= this.#hour && at < this.#hour + HOUR_MS) return;
    this.#project = project;
    this.#hour = utcHour(at);
    const hour = this.#hour;
    this.#touched.set(`${hour} ${project}`, { project, hour });
  }

  /** Lines to write once the touched points are stored; '' when none are needed. */
  lines(now: Instant): string {
    let text = '';
    for (const [id, { project, hour }] of this.#touched) {
      const settled = hour + HOUR_MS + this.#graceMs - CLOCK_SKEW_MS <= now;
      if (!settled && this.#marked.has(id)) continue;
      const tag = lineKey(encodeValue(project));
      text += `${WINDOW_MEASUREMENT},project=${tag} written_at=${now} ${hour}\n`;
    }
    return text;
  }

  /** The lines are stored. */
  done(): void {
    if (this.#marked.size > MAX_MARKED) this.#marked.clear();
    for (const id of this.#touched.keys()) this.#marked.add(id);
    this.forget();
  }

  /** What was touched wasn't stored. */
  forget(): void {
    this.#touched.clear();
    this.#hour = Number.NaN;
  }
}
