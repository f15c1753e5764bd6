import type { Series, SeriesRef } from '../../contracts/metric-point.ts';
import { assert, must } from '../../errors/assert.ts';
import type { SeriesRow } from './metric-raw-file.ts';

interface Declared {
  readonly key: string;
  readonly row: SeriesRow;
  /** Declarations that were not released. */
  users: number;
}

/** Tags as stored: JSON with the keys in order, so that equal tags are equal text. */
export function tagsText(tags: Readonly<Record<string, string>>): string {
  const entries = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(entries));
}

/**
 * The refs of one writer, and which id each has in the file being written. A ref is given out
 * again only when every declaration of it was released.
 */
export class MetricDeclarations {
  readonly #refs = new Map<string, SeriesRef>();
  readonly #declared: (Declared | undefined)[] = [];
  readonly #free: SeriesRef[] = [];
  #fileIds = new Uint32Array(1024);

  get size(): number {
    return this.#refs.size;
  }

  declare(series: Series): SeriesRef {
    const { measurement, field, tags } = series;
    const text = tagsText(tags);
    const key = JSON.stringify([measurement, field, text]);
    const known = this.#refs.get(key);
    if (known !== undefined) {
      must(this.#declared[known], 'a ref in use has its series').users += 1;
      return known;
    }
    const project = tags['project'];
    assert(project !== undefined && project !== '', 'a series has the tag project');
    const ref = this.#free.pop() ?? this.#declared.length;
    this.#declared[ref] = { key, row: { project, measurement, field, tags: text }, users: 1 };
    this.#refs.set(key, ref);
    if (ref >= this.#fileIds.length) {
      const larger = new Uint32Array(this.#fileIds.length * 2);
      larger.set(this.#fileIds);
      this.#fileIds = larger;
    }
    this.#fileIds[ref] = 0;
    return ref;
  }

  release(refs: Iterable<SeriesRef>): void {
    for (const ref of refs) {
      const declared = must(this.#declared[ref], `ref ${ref} was declared and not yet released`);
      declared.users -= 1;
      if (declared.users > 0) continue;
      this.#refs.delete(declared.key);
      this.#declared[ref] = undefined;
      this.#free.push(ref);
    }
  }

  row(ref: SeriesRef): SeriesRow {
    return must(this.#declared[ref], `ref ${ref} was declared by this writer`).row;
  }

  /** Ids in the current file by ref; 0 where it has none yet. */
  get fileIds(): Uint32Array {
    return this.#fileIds;
  }

  /** A new file begins: no series is in it. */
  forgetFileIds(): void {
    this.#fileIds.fill(0);
  }
}
