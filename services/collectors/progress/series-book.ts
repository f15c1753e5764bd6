import type { SeriesRef } from '../../../shared/contracts/metric-point.ts';
import type { MetricWriter } from '../../../shared/stores/metric-store.ts';
import type { QueryPlace } from './parse/query-state.ts';
import type { Reading } from './parse/readings.ts';

/** The series that a run's readings go to, declared once for each run that is remembered. */
export class SeriesBook {
  readonly #writer: Pick<MetricWriter, 'declare' | 'release'>;
  /** By query, run, then reading. */
  readonly #refs = new Map<string, Map<string, Map<string, readonly SeriesRef[]>>>();

  constructor(writer: Pick<MetricWriter, 'declare' | 'release'>) {
    this.#writer = writer;
  }

  /** Refs of the reading's fields, in their order. */
  refsOf(key: string, place: QueryPlace, reading: Reading): readonly SeriesRef[] {
    const runs = this.#refs.get(key) ?? new Map<string, Map<string, readonly SeriesRef[]>>();
    this.#refs.set(key, runs);
    const refs = runs.get(reading.run.run) ?? new Map<string, readonly SeriesRef[]>();
    runs.set(reading.run.run, refs);
    const names = reading.fields.map(([name]) => name).join();
    const id = `${reading.measurement}\n${reading.topic}\n${reading.partition}\n${names}`;
    let found = refs.get(id);
    if (found === undefined) {
      found = this.#declare(place, reading);
      refs.set(id, found);
    }
    return found;
  }

  /** Forgets the runs of a query that aren't in `runs`. */
  keep(key: string, runs: ReadonlySet<string>): void {
    const known = this.#refs.get(key);
    if (known === undefined) return;
    for (const [run, refs] of known) {
      if (runs.has(run)) continue;
      for (const ofReading of refs.values()) this.#writer.release(ofReading);
      known.delete(run);
    }
    if (known.size === 0) this.#refs.delete(key);
  }

  #declare(place: QueryPlace, reading: Reading): SeriesRef[] {
    const { run, measurement, topic, partition } = reading;
    const tags = {
      project: place.project,
      cluster: place.cluster,
      application: run.application,
      query: place.query,
      run: run.run,
      name: run.name ?? '',
      ...(measurement === 'streaming_query' ? {} : { topic }),
      ...(measurement === 'streaming_partition' ? { partition } : {}),
    };
    return reading.fields.map(([field]) => this.#writer.declare({ measurement, field, tags }));
  }
}
