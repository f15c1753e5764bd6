import type { Instant } from '../../../shared/values/instant.ts';
import { UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import {
  type PrometheusDialect,
  type PrometheusSample,
  parsePrometheus,
} from './parse/parse-prometheus.ts';
import type { PointBatch } from './point-batch.ts';
import { type PrometheusTarget, targetIdentity, targetSource } from './prometheus-target.ts';
import type { ProjectOf } from './resolve-name.ts';
import { resolveSample } from './resolve-sample.ts';
import { isPlausible, type SeriesEntry, type SeriesTable } from './series-table.ts';

export interface ExpositionRules {
  readonly target: PrometheusTarget;
  readonly batch: PointBatch;
  readonly table: SeriesTable;
  readonly projectOf: ProjectOf;
  /** Time of samples that have none: that of the scrape. */
  readonly at: Instant;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly maxLineBytes: number;
}

/** Refused lines of one answer that are kept for reading; each scrape would bring them again. */
const MAX_REFUSED = 100;

/** A name of Graphite holds no blank, and a pushed record's key has one at its beginning. */
function tableKey(sample: PrometheusSample, source: string): string {
  return `  ${JSON.stringify([source, sample.name, [...sample.labels]])}`;
}

class Exposition {
  readonly #rules: ExpositionRules;
  readonly #source: string;
  #samples = 0;
  #refused = 0;

  constructor(rules: ExpositionRules) {
    this.#rules = rules;
    this.#source = targetSource(rules.target);
  }

  read(text: string, dialect: PrometheusDialect): number {
    const { batch, maxLineBytes } = this.#rules;
    for (const fate of parsePrometheus(text, dialect, maxLineBytes)) {
      if (fate.fate === 'kept') this.#take(fate.record);
      else if (fate.fate === 'dropped') batch.drop(fate.reason);
      else this.#refuse(fate.reason, fate.raw);
    }
    return this.#samples;
  }

  #take(sample: PrometheusSample): void {
    const { batch, target } = this.#rules;
    this.#samples += 1;
    if (this.#samples > target.maxSamples) {
      batch.drop('sample-limit');
      return;
    }
    const found = this.#entryOf(sample);
    if (found === undefined) batch.drop('gauge-twice');
    else this.#add(sample, found);
  }

  #add(sample: PrometheusSample, { entry, scale }: { entry: SeriesEntry; scale: number }): void {
    const { batch } = this.#rules;
    const at = sample.at ?? this.#rules.at;
    const value = sample.value * scale;
    if (entry.ref < 0) batch.drop('series-limit');
    else if (at < this.#rules.notBefore || at > this.#rules.notAfter) {
      batch.drop('time-implausible');
    } else if (!isPlausible(value, entry.check)) batch.drop('value-undefined');
    else batch.add(entry.ref, at, value);
  }

  #entryOf(sample: PrometheusSample): { entry: SeriesEntry; scale: number } | undefined {
    const { table } = this.#rules;
    const resolved = resolveSample(sample, this.#rules);
    if (resolved === undefined) return undefined;
    const key = tableKey(sample, this.#source);
    return { entry: table.get(key) ?? table.add(key, resolved), scale: resolved.scale };
  }

  #refuse(reason: string, raw: string): void {
    const { batch, target, at } = this.#rules;
    this.#refused += 1;
    if (this.#refused > MAX_REFUSED) batch.drop(reason);
    else {
      const project = target.project ?? '';
      batch.quarantine({ source: this.#source, reason, raw, project, observedAt: at });
    }
  }
}

/** Puts the samples of an answer into the batch; returns how many samples it has. */
export function readExposition(
  text: string,
  dialect: PrometheusDialect,
  rules: ExpositionRules,
): number {
  return new Exposition(rules).read(text, dialect);
}

/** How a scrape went, as series of its own: `scrape` with `up`, `durationMs`, `samples`. */
export function recordScrape(
  result: { readonly up: 0 | 1; readonly durationMs: number; readonly samples: number },
  rules: Pick<ExpositionRules, 'target' | 'batch' | 'table' | 'at'>,
): void {
  const { target, batch, table, at } = rules;
  const source = targetSource(target);
  const tags = {
    project: target.project ?? UNATTRIBUTED,
    cluster: target.cluster,
    ...targetIdentity(target),
  };
  for (const [field, value] of Object.entries(result)) {
    const key = `  ${JSON.stringify([source, field])}`;
    const series = { measurement: 'scrape', field, tags };
    const entry = table.get(key) ?? table.add(key, { series, provisional: false });
    if (entry.ref < 0) batch.drop('series-limit');
    else batch.add(entry.ref, at, value);
  }
}
