/** What a Graphite name of Spark says. */
export interface SparkName {
  readonly measurement: string;
  readonly field: string;
  /** What stands before everything, as configured in the sink; '' without one. */
  readonly prefix: string;
  /** Application id, or `spark.metrics.namespace`; '' for what runs no application. */
  readonly namespace: string;
  /** The namespace has the form of an application id. */
  readonly isApplication: boolean;
  readonly executor: string;
  /** Tags that only some sources have: `query`, `plugin`, `name`, `started`. */
  readonly extra: Readonly<Record<string, string>>;
}

/** Sources that Spark registers. Source: apache/spark core/…/metrics/source, and the sql, streaming modules. */
const SOURCES: ReadonlySet<string> = new Set([
  'AccumulatorSource',
  'BlockManager',
  'CodeGenerator',
  'DAGScheduler',
  'DoubleAccumulatorSource',
  'ExecutorAllocationManager',
  'ExecutorMetrics',
  'HiveExternalCatalog',
  'JVMCPU',
  'LiveListenerBus',
  'LongAccumulatorSource',
  'NettyBlockTransfer',
  'appStatus',
  'executor',
  'jvm',
  'plugin',
]);
/** Whether Spark itself registers a source of this name. */
export function isSparkSource(source: string): boolean {
  return SOURCES.has(source);
}

const APPLICATION = /^(application_\d+_\d+|app-\d{14}-\d{4,}|local-\d+|spark-[0-9a-f]{32})$/;
const EXECUTOR = /^(driver|\d+)$/;

/** Gauges of a streaming query. Source: apache/spark sql/…/streaming/runtime/MetricsReporter.scala */
const STREAMING = /^(.+)\.driver\.spark\.streaming\.(.+)\.([a-zA-Z]+-[a-zA-Z]+|latency)$/;
const STREAMING_FIELDS: ReadonlySet<string> = new Set([
  'inputRate-total',
  'processingRate-total',
  'latency',
  'eventTime-watermark',
  'states-rowsTotal',
  'states-usedBytes',
]);
const DSTREAMS = /^(.+)\.driver\.(.+)\.StreamingMetrics\.(.+)$/;

/** Daemons: their names hold no host. Source: MasterSource, WorkerSource, ApplicationMasterSource … */
const DAEMONS: Readonly<Record<string, ReadonlySet<string>>> = {
  master: new Set(['workers', 'aliveWorkers', 'apps', 'waitingApps']),
  worker: new Set(['executors', 'coresUsed', 'memUsed_MB', 'coresFree', 'memFree_MB']),
};
const APPLICATION_SOURCE = /^(?:(.+)\.)?application\.(.+)\.(\d{13})\.(runtime_ms|cores|status)$/;
const SHUFFLE_SERVICE = /^(?:(.+)\.)?shuffleService\.(.+)$/;
const APPLICATION_MASTER = /^(?:(.+)\.)?applicationMaster\.(num[A-Z][A-Za-z]+)$/;

interface Owner {
  readonly prefix: string;
  readonly namespace: string;
  readonly isApplication: boolean;
}

/**
 * Splits what stands before the executor. An application id says itself where it begins; before
 * any other namespace stand as many segments of prefix as configured.
 */
function ownerOf(segments: readonly string[], prefixSegments: number): Owner {
  const last = segments.at(-1) ?? '';
  const isApplication = APPLICATION.test(last);
  const cut = isApplication
    ? segments.length - 1
    : Math.max(0, Math.min(prefixSegments, segments.length - 1));
  return {
    prefix: segments.slice(0, cut).join('.'),
    namespace: segments.slice(cut).join('.'),
    isApplication,
  };
}

function ownerOfText(text: string, prefixSegments: number): Owner {
  return ownerOf(text.split('.'), prefixSegments);
}

function streaming(name: string, prefixSegments: number): SparkName | undefined {
  // A look for the words first: the expression alone is slow on a hostile name.
  if (!name.includes('.driver.spark.streaming.')) return undefined;
  const [, owner, query, field] = STREAMING.exec(name) ?? [];
  if (owner === undefined || query === undefined || !STREAMING_FIELDS.has(field ?? '')) {
    return undefined;
  }
  return {
    ...ownerOfText(owner, prefixSegments),
    measurement: 'streaming',
    field: field ?? '',
    executor: 'driver',
    extra: { query },
  };
}

/** A plugin's source is `plugin.<class name>`: it ends with the first segment in upper case. */
function pluginSource(segments: readonly string[]): { plugin: string; field: string } {
  const found = segments.findIndex((segment) => /^[A-Z]/.test(segment));
  const end = found >= 0 && found < segments.length - 1 ? found + 1 : 1;
  return { plugin: segments.slice(0, end).join('.'), field: segments.slice(end).join('.') };
}

function sourceAt(
  segments: readonly string[],
  at: number,
): Pick<SparkName, 'measurement' | 'field' | 'extra'> {
  const measurement = segments[at] ?? '';
  if (measurement === 'plugin' && segments.length > at + 2) {
    const { plugin, field } = pluginSource(segments.slice(at + 1));
    return { measurement, field, extra: { plugin } };
  }
  return { measurement, field: segments.slice(at + 1).join('.'), extra: {} };
}

/** `<owner>.<driver or number>.<source>.<metric>`, sought from the right: owners may hold dots. */
function ofExecutor(segments: readonly string[], prefixSegments: number): SparkName | undefined {
  for (let at = segments.length - 3; at >= 1; at -= 1) {
    const executor = segments[at] ?? '';
    if (!EXECUTOR.test(executor)) continue;
    // After an application id any source is one, such as those of users.
    const known = SOURCES.has(segments[at + 1] ?? '') || APPLICATION.test(segments[at - 1] ?? '');
    if (!known) continue;
    return {
      ...ownerOf(segments.slice(0, at), prefixSegments),
      ...sourceAt(segments, at + 1),
      executor,
    };
  }
  return undefined;
}

function ofDaemon(name: string, segments: readonly string[]): SparkName | undefined {
  const none = { namespace: '', isApplication: false, executor: '', extra: {} };
  const [measurement = '', field = ''] = segments.slice(-2);
  if (Object.hasOwn(DAEMONS, measurement) && DAEMONS[measurement]?.has(field) === true) {
    return { ...none, measurement, field, prefix: segments.slice(0, -2).join('.') };
  }
  const application = APPLICATION_SOURCE.exec(name);
  if (application !== null) {
    const [, prefix = '', app = '', started = '', field = ''] = application;
    return { ...none, measurement: 'application', field, prefix, extra: { name: app, started } };
  }
  const shuffle = SHUFFLE_SERVICE.exec(name);
  if (shuffle === null) return undefined;
  return {
    ...none,
    measurement: 'shuffleService',
    field: shuffle[2] ?? '',
    prefix: shuffle[1] ?? '',
  };
}

function ofApplicationMaster(name: string, prefixSegments: number): SparkName | undefined {
  const [, owner, field] = APPLICATION_MASTER.exec(name) ?? [];
  if (field === undefined) return undefined;
  return {
    ...ownerOfText(owner ?? '', prefixSegments),
    measurement: 'applicationMaster',
    field,
    executor: '',
    extra: {},
  };
}

function ofDstreams(name: string, prefixSegments: number): SparkName | undefined {
  if (!name.includes('.StreamingMetrics.')) return undefined;
  const [, owner, app, field] = DSTREAMS.exec(name) ?? [];
  if (owner === undefined || app === undefined || field === undefined) return undefined;
  return {
    ...ownerOfText(owner, prefixSegments),
    measurement: 'StreamingMetrics',
    field,
    executor: 'driver',
    extra: { name: app },
  };
}

/** A source of a driver that has no application id yet, or of a daemon: `<prefix>.<source>.<metric>`. */
function ofProcess(segments: readonly string[]): SparkName | undefined {
  const at = segments.findIndex((segment) => SOURCES.has(segment));
  if (at < 0 || at > segments.length - 2) return undefined;
  return {
    ...sourceAt(segments, at),
    prefix: segments.slice(0, at).join('.'),
    namespace: '',
    isApplication: false,
    executor: '',
  };
}

/**
 * Reads a name as Spark's Graphite sink makes it; undefined when it is none of Spark's.
 *
 * @param prefixSegments how many segments the sink's prefix has, needed only for namespaces that
 *   aren't application ids
 * Source: apache/spark core/…/metrics/MetricsSystem.scala (buildRegistryName), GraphiteSink.scala
 */
export function parseSparkName(name: string, prefixSegments: number): SparkName | undefined {
  const segments = name.split('.');
  if (segments.length < 2 || segments.some((segment) => segment === '')) {
    // A query or application name may hold two dots in a row; only these two forms carry one.
    return streaming(name, prefixSegments) ?? ofDstreams(name, prefixSegments);
  }
  return (
    streaming(name, prefixSegments) ??
    ofExecutor(segments, prefixSegments) ??
    ofDstreams(name, prefixSegments) ??
    ofApplicationMaster(name, prefixSegments) ??
    ofDaemon(name, segments) ??
    ofProcess(segments)
  );
}
