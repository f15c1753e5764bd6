import { isSparkSource, type SparkName } from './spark-name.ts';

/** What a name of Spark's Prometheus servlet says, in the words of its Graphite names. */
export interface SparkPrometheusName extends SparkName {
  /** What the value is multiplied by to have Graphite's unit. */
  readonly scale: number;
}

const PREFIX = 'metrics_';
/** Forms of an application id with every `-` written as `_`. */
const APPLICATION =
  /^(application_\d+_\d+|app_\d{14}_\d{4,}|local_\d+|spark_[0-9a-f]{32})_(driver|\d+)_(.+)$/;
const EXECUTOR = /_(driver|\d+)(?=_([A-Za-z]+)_)/g;
const STREAMING =
  /^spark_streaming_(.+)_(inputRate_total|processingRate_total|latency|eventTime_watermark|states_rowsTotal|states_usedBytes)$/;
const UUID = /^([0-9a-f]{8})_([0-9a-f]{4})_([0-9a-f]{4})_([0-9a-f]{4})_([0-9a-f]{12})$/;
const DAEMON =
  /^(master|worker)_(workers|aliveWorkers|apps|waitingApps|executors|coresUsed|memUsed_MB|coresFree|memFree_MB)$/;
const STARTED_APPLICATION = /^application_(.+)_(\d{13})_(runtime_ms|cores|status)$/;
const JVM_MEMORY = /^(heap|non_heap|total)_(committed|init|max|usage|used)$/;
const JVM_BUFFERS = /^(direct|mapped)_(capacity|count|used)$/;
const JVM_POOL = /^pools_(.+)_(committed|init|max|usage|used_after_gc|used)$/;
const JVM_COLLECTOR = /^(.+)_(count|time)$/;

/** Groups of metrics in a source: what follows one of these words is another segment. */
const GROUPS: Readonly<Record<string, RegExp>> = {
  BlockManager: /^(disk|memory)_/,
  DAGScheduler: /^(job|stage)_/,
  ExecutorAllocationManager: /^(executors)_/,
  appStatus: /^(jobs|stages|tasks)_/,
  executor: /^(threadpool|filesystem_[a-z0-9]+)_/,
};

/** Ends of a name by what they say; `isDuration`: ns in a timer, where Graphite has ms. */
const SUFFIXES: Readonly<Record<string, { field: string; isDuration?: true }>> = {
  Value: { field: '' },
  Count: { field: '.count' },
  Max: { field: '.max', isDuration: true },
  Mean: { field: '.mean', isDuration: true },
  Min: { field: '.min', isDuration: true },
  StdDev: { field: '.stddev', isDuration: true },
  '50thPercentile': { field: '.p50', isDuration: true },
  '75thPercentile': { field: '.p75', isDuration: true },
  '95thPercentile': { field: '.p95', isDuration: true },
  '98thPercentile': { field: '.p98', isDuration: true },
  '99thPercentile': { field: '.p99', isDuration: true },
  '999thPercentile': { field: '.p999', isDuration: true },
  MeanRate: { field: '.mean_rate' },
  OneMinuteRate: { field: '.m1_rate' },
  FiveMinuteRate: { field: '.m5_rate' },
  FifteenMinuteRate: { field: '.m15_rate' },
};
const NS_TO_MS = 1e-6;

function jvmField(metric: string): string {
  const memory = JVM_MEMORY.exec(metric) ?? JVM_BUFFERS.exec(metric);
  if (memory !== null) return `${memory[1]?.replace('_', '-')}.${memory[2]}`;
  const [, pool, part] = JVM_POOL.exec(metric) ?? [];
  if (pool !== undefined) {
    const dashed = pool.replace(/^(CodeHeap)__(.+)_$/, "$1-'$2'").replaceAll('_', '-');
    return `pools.${dashed}.${part?.replaceAll('_', '-')}`;
  }
  const [, collector, what] = JVM_COLLECTOR.exec(metric) ?? [];
  return collector === undefined ? metric : `${collector.replaceAll('_', '-')}.${what}`;
}

function busField(metric: string): string {
  const queue = /^queue_(.+)_(listenerProcessingTime|numDroppedEvents|size)$/.exec(metric);
  if (queue !== null) return `queue.${queue[1]}.${queue[2]}`;
  const listener = /^listenerProcessingTime_(.+)$/.exec(metric);
  return listener === null ? metric : `listenerProcessingTime.${listener[1]?.replaceAll('_', '.')}`;
}

function fieldOf(source: string, metric: string): string {
  if (source === 'jvm') return jvmField(metric);
  if (source === 'LiveListenerBus') return busField(metric);
  const group = Object.hasOwn(GROUPS, source) ? GROUPS[source]?.exec(metric) : undefined;
  if (group === null || group === undefined) return metric;
  return `${group[1]?.replace('_', '.')}.${metric.slice(group[0].length)}`;
}

type Metric = Pick<SparkName, 'measurement' | 'field' | 'extra'>;

/** A plugin's source is `plugin.<class name>`: it ends with the first word in upper case. */
function pluginMetric(text: string): Metric {
  const words = text.split('_');
  const found = words.findIndex((word) => /^[A-Z]/.test(word));
  const end = found >= 0 && found < words.length - 1 ? found + 1 : 1;
  const plugin = words.slice(0, end).join('.');
  return { measurement: 'plugin', field: words.slice(end).join('_'), extra: { plugin } };
}

function metricOf(text: string): Metric | undefined {
  const [, query, gauge] = STREAMING.exec(text) ?? [];
  if (query !== undefined && gauge !== undefined) {
    const id = query.replace(UUID, '$1-$2-$3-$4-$5');
    return { measurement: 'streaming', field: gauge.replace('_', '-'), extra: { query: id } };
  }
  const dstream = /^(.+)_StreamingMetrics_(.+)$/.exec(text);
  if (dstream !== null) {
    const [, name = '', field = ''] = dstream;
    return { measurement: 'StreamingMetrics', field, extra: { name } };
  }
  const at = text.indexOf('_');
  if (at <= 0 || at === text.length - 1) return undefined;
  const source = text.slice(0, at);
  if (source === 'plugin') return pluginMetric(text.slice(at + 1));
  return { measurement: source, field: fieldOf(source, text.slice(at + 1)), extra: {} };
}

function applicationId(mangled: string): string {
  return mangled.startsWith('application_') ? mangled : mangled.replaceAll('_', '-');
}

/** `<namespace>_<driver or number>_<known source>_…` of a namespace that is no application id. */
function inNamespace(text: string): SparkName | undefined {
  let found: RegExpExecArray | undefined;
  for (const match of text.matchAll(EXECUTOR)) {
    if (match.index > 0 && (isSparkSource(match[2] ?? '') || match[2] === 'spark')) found = match;
  }
  if (found === undefined) return undefined;
  const [, executor = ''] = found;
  const metric = metricOf(text.slice(found.index + executor.length + 2));
  if (metric === undefined) return undefined;
  const namespace = text.slice(0, found.index);
  return { ...metric, prefix: '', namespace, isApplication: false, executor };
}

function ofNoApplication(text: string): SparkName | undefined {
  const none = { prefix: '', namespace: '', isApplication: false, executor: '', extra: {} };
  const [, daemon, gauge] = DAEMON.exec(text) ?? [];
  if (daemon !== undefined) return { ...none, measurement: daemon, field: gauge ?? '' };
  const [, name, started, field] = STARTED_APPLICATION.exec(text) ?? [];
  if (name !== undefined && started !== undefined) {
    return { ...none, measurement: 'application', field: field ?? '', extra: { name, started } };
  }
  const source = text.slice(0, Math.max(0, text.indexOf('_')));
  if (source !== 'shuffleService' && !isSparkSource(source)) return undefined;
  const metric = metricOf(text);
  return metric && { ...none, ...metric };
}

function sparkNameOf(text: string): SparkName | undefined {
  const [, id, executor, rest] = APPLICATION.exec(text) ?? [];
  if (id !== undefined && executor !== undefined && rest !== undefined) {
    const metric = metricOf(rest);
    const namespace = applicationId(id);
    return metric && { ...metric, prefix: '', namespace, isApplication: true, executor };
  }
  return inNamespace(text) ?? ofNoApplication(text);
}

/**
 * Reads a name of Spark's `/metrics/prometheus/`, in which every character but letters and digits
 * is a `_`: what Spark's own sources call their metrics is known, what users call theirs stays as it
 * is. Undefined when it is none of Spark's; `twice` for `…_Number`, which repeats a gauge's `…_Value`.
 *
 * @param type the line's label `type`; timers are in ns here, and in ms in Graphite
 * Source: apache/spark core/…/metrics/sink/PrometheusServlet.scala
 */
export function parseSparkPrometheusName(
  name: string,
  type: string | undefined,
): SparkPrometheusName | 'twice' | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  const cut = name.lastIndexOf('_');
  const ending = name.slice(cut + 1);
  const isGaugeTwice = ending === 'Number';
  const suffix = Object.hasOwn(SUFFIXES, ending) ? SUFFIXES[ending] : undefined;
  if (cut <= PREFIX.length || (suffix === undefined && !isGaugeTwice)) return undefined;
  const found = sparkNameOf(name.slice(PREFIX.length, cut));
  if (found === undefined) return undefined;
  if (suffix === undefined) return 'twice';
  const isNs = type === 'timers' && suffix.isDuration === true;
  return { ...found, field: found.field + suffix.field, scale: isNs ? NS_TO_MS : 1 };
}
