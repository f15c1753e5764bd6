/** Labels of low cardinality only: service, collector, fate, reason, outcome. */
export type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly values: Map<string, number>;
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}

function labelText(labels: Labels): string {
  const parts = Object.keys(labels)
    .sort()
    .map((name) => `${name}="${escapeLabel(labels[name] ?? '')}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

/** Counters and gauges of one process, printed in Prometheus' text format 0.0.4. */
export class Metrics {
  readonly #families = new Map<string, Family>();

  #family(name: string, help: string, type: Family['type']): Family {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = { help, type, values: new Map() };
      this.#families.set(name, family);
    }
    return family;
  }

  /** Registers a counter; the returned function adds to it. */
  counter(name: string, help: string): (labels: Labels, by?: number) => void {
    const family = this.#family(name, help, 'counter');
    return (labels, by = 1) => {
      const key = labelText(labels);
      family.values.set(key, (family.values.get(key) ?? 0) + by);
    };
  }

  /** Registers a gauge; the returned function sets it. */
  gauge(name: string, help: string): (labels: Labels, value: number) => void {
    const family = this.#family(name, help, 'gauge');
    return (labels, value) => {
      family.values.set(labelText(labels), value);
    };
  }

  /** Current values of one family, keyed by label text; for tests and for merging threads. */
  values(name: string): ReadonlyMap<string, number> {
    return this.#families.get(name)?.values ?? new Map();
  }

  /** A copy that can cross a thread. */
  snapshot(): MetricsSnapshot {
    return [...this.#families].map(([name, { help, type, values }]) => ({
      name,
      help,
      type,
      values: [...values],
    }));
  }
}

export type MetricsSnapshot = readonly {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly values: readonly (readonly [labels: string, value: number])[];
}[];

/** One exposition of several threads' metrics: counters with equal labels add up, the last gauge stands. */
export function printMetrics(snapshots: readonly MetricsSnapshot[]): string {
  const families = new Map<string, Family>();
  for (const { name, help, type, values } of snapshots.flat()) {
    const family = families.get(name) ?? { help, type, values: new Map<string, number>() };
    families.set(name, family);
    for (const [labels, value] of values) {
      const before = type === 'counter' ? (family.values.get(labels) ?? 0) : 0;
      family.values.set(labels, before + value);
    }
  }
  let text = '';
  for (const [name, { help, type, values }] of families) {
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const [labels, value] of values) text += `${name}${labels} ${value}\n`;
  }
  return text;
}
