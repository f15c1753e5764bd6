import type { Series, SeriesRef } from '../../../shared/contracts/metric-point.ts';
import type { MetricWriter } from '../../../shared/stores/metric-store.ts';

const MAX_REFUSED = 100_000;

/** What a name leads to. `ref` is -1 when its points are dropped as `series-limit`. */
export interface SeriesEntry {
  readonly ref: SeriesRef;
  readonly check: ValueCheck;
  readonly project: string;
  readonly provisional: boolean;
  seen: number;
}

/**
 * Values that the JVM gives where it has none: a maximum or initial size of -1, and the usage
 * computed with it. Source: spark-formats trap 10; java.lang.management.MemoryUsage.
 */
type ValueCheck = 'none' | 'not-minus-one' | 'ratio';

/** Whether a value is one that its series can have. */
export function isPlausible(value: number, check: ValueCheck): boolean {
  if (check === 'none') return true;
  return check === 'ratio' ? value >= 0 && value <= 1 : value !== -1;
}

function checkOf({ measurement, field }: Series): ValueCheck {
  if (measurement !== 'jvm') return 'none';
  if (field.endsWith('.usage')) return 'ratio';
  return field.endsWith('.max') || field.endsWith('.init') ? 'not-minus-one' : 'none';
}

export interface SeriesLimits {
  readonly maxSeriesPerProject: number;
  readonly maxNames: number;
}

/**
 * From names as they come to refs of the store, so that a repeated name costs one look-up. Bounded
 * by live series of a project and by names in all; what was not seen for a generation goes.
 */
export class SeriesTable {
  readonly #writer: Pick<MetricWriter, 'declare'>;
  readonly #limits: SeriesLimits;
  readonly #entries = new Map<string, SeriesEntry>();
  /** Some of the names that found no room, so that they cost no parsing each time. */
  readonly #refused = new Map<string, SeriesEntry>();
  readonly #retired: SeriesRef[] = [];
  readonly #live = new Map<string, number>();
  #generation = 0;

  constructor(writer: Pick<MetricWriter, 'declare'>, limits: SeriesLimits) {
    this.#writer = writer;
    this.#limits = limits;
  }

  /** Names that lead to a series now. */
  get size(): number {
    return this.#entries.size;
  }

  get(name: string): SeriesEntry | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return this.#refused.get(name);
    entry.seen = this.#generation;
    return entry;
  }

  /** Takes up a new name; its `ref` is -1 when the limits leave no room for it. */
  add(
    name: string,
    { series, provisional }: { readonly series: Series; readonly provisional: boolean },
  ): SeriesEntry {
    const project = series.tags['project'] ?? '';
    const live = this.#live.get(project) ?? 0;
    const entry = { ref: -1, check: 'none', project, provisional, seen: this.#generation } as const;
    const { maxNames, maxSeriesPerProject } = this.#limits;
    if (live >= maxSeriesPerProject || this.#entries.size >= maxNames) {
      if (this.#refused.size >= MAX_REFUSED) this.#refused.clear();
      this.#refused.set(name, entry);
      return entry;
    }
    const kept: SeriesEntry = {
      ...entry,
      ref: this.#writer.declare(series),
      check: checkOf(series),
    };
    this.#live.set(project, live + 1);
    this.#entries.set(name, kept);
    return kept;
  }

  /** Begins a generation; names not seen in the last one go. */
  sweep(): void {
    this.#generation += 1;
    this.#remove((entry) => entry.seen < this.#generation - 1);
  }

  /** Forgets names whose project was not known, so that their next point asks again. */
  forgetProvisional(): void {
    this.#remove((entry) => entry.provisional);
  }

  #remove(test: (entry: SeriesEntry) => boolean): void {
    this.#refused.clear();
    for (const [name, entry] of this.#entries) {
      if (!test(entry)) continue;
      this.#entries.delete(name);
      this.#retired.push(entry.ref);
      const live = (this.#live.get(entry.project) ?? 1) - 1;
      if (live === 0) this.#live.delete(entry.project);
      else this.#live.set(entry.project, live);
    }
  }

  /** Refs to release once every batch that may hold points of them is stored. */
  takeRetired(): SeriesRef[] {
    return this.#retired.splice(0);
  }
}
