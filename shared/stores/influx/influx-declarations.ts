import type { Series, SeriesRef } from '../../contracts/metric-point.ts';
import { assert, must } from '../../errors/assert.ts';
import { encodeName, encodeValue, lineKey, lineMeasurement } from './influx-name.ts';
import type { MetricSchema } from './metric-schema.ts';
import { SeriesBudget } from './series-budget.ts';

/** Why points of a series are not stored. */
export type SeriesFate = 'not-allowed' | 'key-too-long' | 'series-limit' | 'field-limit';

/** What InfluxDB calls a series: measurement and tags. Fields of several metrics share it. */
export interface LineKey {
  /** As a line begins. */
  readonly text: string;
  readonly project: string;
  /** For spreading keys over requests. */
  readonly number: number;
  users: number;
  admitted: boolean;
}

export interface DeclaredSeries {
  readonly id: string;
  readonly series: Series;
  /** Undefined where `fate` says why. */
  readonly key: LineKey | undefined;
  /** `<field>=` in a line. */
  readonly field: string;
  readonly fate: SeriesFate | undefined;
  /** Number of the last line that holds it. */
  line: number;
  users: number;
}

/** InfluxDB refuses 64 KiB and repeats the whole key in the error; nothing sensible is as long. */
const MAX_KEY_BYTES = 16_384;

function keyText(measurement: string, tags: readonly (readonly [string, string])[]): string {
  const parts = tags
    .map(([name, value]) => `,${lineKey(encodeName(name))}=${lineKey(encodeValue(value))}`)
    .sort();
  return lineMeasurement(encodeName(measurement)) + parts.join('');
}

/** The refs of one writer, and how each is written. */
export class InfluxDeclarations {
  readonly #schema: MetricSchema;
  readonly #maxFields: number;
  readonly budget: SeriesBudget;
  readonly #refs = new Map<string, SeriesRef>();
  readonly #declared: (DeclaredSeries | undefined)[] = [];
  readonly #free: SeriesRef[] = [];
  readonly #keys = new Map<string, LineKey>();
  readonly #fields = new Map<string, Set<string>>();
  #keyNumber = 0;

  constructor(
    schema: MetricSchema,
    limits: { readonly maxRawSeries: number; readonly maxFields: number },
  ) {
    this.#schema = schema;
    this.#maxFields = limits.maxFields;
    this.budget = new SeriesBudget(limits.maxRawSeries);
  }

  declare(series: Series): SeriesRef {
    const tags = Object.entries(series.tags).sort(([a], [b]) => (a < b ? -1 : 1));
    const id = JSON.stringify([series.measurement, series.field, tags]);
    const known = this.#refs.get(id);
    if (known !== undefined) {
      must(this.#declared[known], 'a ref in use has its series').users += 1;
      return known;
    }
    const project = series.tags['project'];
    assert(project !== undefined && project !== '', 'a series has the tag project');
    const ref = this.#free.pop() ?? this.#declared.length;
    this.#declared[ref] = this.#place(id, series, tags);
    this.#refs.set(id, ref);
    return ref;
  }

  release(refs: Iterable<SeriesRef>): void {
    for (const ref of refs) {
      const declared = must(this.#declared[ref], `ref ${ref} was declared and not yet released`);
      declared.users -= 1;
      if (declared.users > 0) continue;
      this.#refs.delete(declared.id);
      this.#declared[ref] = undefined;
      this.#free.push(ref);
      if (declared.key !== undefined) this.#leave(declared.key);
    }
  }

  get(ref: SeriesRef): DeclaredSeries {
    return must(this.#declared[ref], `ref ${ref} was declared by this writer`);
  }

  /** Why its points can't be stored now; undefined when they can. */
  fateOf(declared: DeclaredSeries): SeriesFate | undefined {
    const { key, fate } = declared;
    if (fate !== undefined || key === undefined) return fate;
    if (!key.admitted) key.admitted = this.budget.admit();
    return key.admitted ? undefined : 'series-limit';
  }

  #place(id: string, series: Series, tags: [string, string][]): DeclaredSeries {
    const base = { id, series, line: 0, users: 1 };
    const refused = (fate: SeriesFate): DeclaredSeries => ({
      ...base,
      key: undefined,
      field: '',
      fate,
    });
    const place = this.#schema.place(series.measurement, series.field);
    if (place === undefined) return refused('not-allowed');
    const field = `${lineKey(encodeName(place.field))}=`;
    const text = keyText(place.measurement, tags);
    if (Buffer.byteLength(text) + Buffer.byteLength(field) > MAX_KEY_BYTES) {
      return refused('key-too-long');
    }
    const fields = this.#fields.get(place.measurement) ?? new Set();
    this.#fields.set(place.measurement, fields);
    if (!fields.has(field) && fields.size >= this.#maxFields) return refused('field-limit');
    fields.add(field);
    return { ...base, key: this.#key(text, series), field, fate: undefined };
  }

  #key(text: string, { tags }: Series): LineKey {
    let key = this.#keys.get(text);
    if (key === undefined) {
      const number = this.#keyNumber++;
      key = { text, project: tags['project'] ?? '', number, users: 0, admitted: false };
      this.#keys.set(text, key);
    }
    key.users += 1;
    return key;
  }

  #leave(key: LineKey): void {
    key.users -= 1;
    if (key.users > 0) return;
    this.#keys.delete(key.text);
    if (key.admitted) this.budget.leave();
  }
}
