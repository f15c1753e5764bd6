import { matchGlob } from '../../attribution/match-glob.ts';

/** One entry of the allow-list. Without `into` the measurement keeps its name and its fields theirs. */
export interface AllowedMeasurement {
  readonly measurement: string;
  readonly fields: readonly string[];
  readonly into?: string | undefined;
}

/** Where the values of a metric lie in InfluxDB. */
export interface MetricPlace {
  readonly measurement: string;
  readonly field: string;
}

/** Sources of Spark's drivers and executors; their fields share a series for each executor. */
const SPARK_SOURCES = [
  'BlockManager',
  'CodeGenerator',
  'DAGScheduler',
  'ExecutorAllocationManager',
  'ExecutorMetrics',
  'HiveExternalCatalog',
  'JVMCPU',
  'LiveListenerBus',
  'NettyBlockTransfer',
  'appStatus',
  'executor',
  'jvm',
];
const OWN_PLACE = [
  'StreamingMetrics',
  'application',
  'applicationMaster',
  'cluster',
  'master',
  'scrape',
  'shuffleService',
  'streaming',
  'streaming_partition',
  'streaming_query',
  'streaming_topic',
  'worker',
];

/**
 * What is kept when nothing is configured: what Spark and Tollgate themselves measure. Accumulators
 * and plugins are not among it, since their names come from users.
 */
export const DEFAULT_MEASUREMENTS: readonly {
  measurement: string;
  fields: string[];
  into?: string;
}[] = [
  ...SPARK_SOURCES.map((measurement) => ({ measurement, fields: ['*'], into: 'spark' })),
  ...OWN_PLACE.map((measurement) => ({ measurement, fields: ['*'] })),
];

/** What makes two metrics of a list share a place; undefined when nothing does. */
export function schemaProblem(entries: readonly AllowedMeasurement[]): string | undefined {
  const names = new Set(entries.map(({ measurement }) => measurement));
  if (names.size < entries.length) return 'a measurement stands twice in the list';
  const own = new Set(entries.filter(({ into }) => into === undefined).map((e) => e.measurement));
  for (const { measurement, into } of entries) {
    if (measurement.startsWith('tollgate_') || into?.startsWith('tollgate_') === true) {
      return `${measurement}: names that begin with tollgate_ are kept for bookkeeping`;
    }
    if (into === undefined) continue;
    if (own.has(into)) return `${measurement} can't go into ${into}, which has fields of its own`;
    // Else a.b with c and a with b.c would be one field.
    if (measurement.includes('.')) return `${measurement} has a dot, so it can't go into another`;
  }
  return undefined;
}

/** The allow-list in use: from metrics to their places in InfluxDB and back. */
export class MetricSchema {
  readonly #entries: ReadonlyMap<string, AllowedMeasurement>;

  constructor(entries: readonly AllowedMeasurement[]) {
    this.#entries = new Map(entries.map((entry) => [entry.measurement, entry]));
  }

  /** Undefined for a metric that isn't allowed. */
  place(measurement: string, field: string): MetricPlace | undefined {
    const entry = this.#entries.get(measurement);
    if (entry === undefined || !entry.fields.some((pattern) => matchGlob(pattern, field))) {
      return undefined;
    }
    return entry.into === undefined
      ? { measurement, field }
      : { measurement: entry.into, field: `${measurement}.${field}` };
  }

  /** InfluxDB's measurement of a metric's measurement; undefined when it isn't allowed. */
  home(measurement: string): string | undefined {
    const entry = this.#entries.get(measurement);
    return entry === undefined ? undefined : (entry.into ?? measurement);
  }

  /** The metric's field that lies in InfluxDB's `field`, when that is one of the measurement's. */
  fieldOf(measurement: string, field: string): string | undefined {
    const into = this.#entries.get(measurement)?.into;
    if (into === undefined) return field;
    const prefix = `${measurement}.`;
    return field.startsWith(prefix) ? field.slice(prefix.length) : undefined;
  }

  /** All measurements of InfluxDB that the list leads to. */
  get homes(): ReadonlySet<string> {
    return new Set([...this.#entries.values()].map((entry) => entry.into ?? entry.measurement));
  }
}
