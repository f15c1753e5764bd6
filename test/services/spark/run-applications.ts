import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installSpark, runSpark, type SparkHome, type SparkRun } from '../servers/spark.ts';
import { startStandalone } from '../servers/spark-standalone.ts';

/** Ids of a YARN that isn't there: local mode takes the application's from `spark.test.appId`. */
export const STREAM_APPLICATION = 'application_1795247888953_0007';
export const STREAM_CONTAINER = 'container_1795247888953_0007_01_000001';

/** MiB that Spark was told to give; the driver's is what `runSpark` says. */
export const EXECUTOR_MIB = 512;
export const DRIVER_MIB = 700;

/** What a platform's Spark is configured with so that Tollgate sees it. */
export interface Platform {
  readonly spark: SparkHome;
  readonly folder: string;
  readonly project: string;
  readonly graphitePort: number;
  /** Where the listener sends progress: `http://…` or `kafka://host:port/topic`. */
  readonly progressAddress: string;
}

export interface RanApplications {
  readonly batch: SparkRun;
  readonly stream: SparkRun;
}

/** The patterns under which Tollgate finds what Spark leaves on disk. */
export function platformPaths(folder: string) {
  return {
    executorLogs: join(folder, 'work/{application}/{container}/stderr'),
    driverLogs: join(folder, 'drivers/{application}_driver.log'),
    yarnLogs: join(folder, 'yarn/{application}/{container}/stderr'),
    eventLogs: join(folder, 'events'),
  };
}

/** Spark makes no folder for event logs. */
export async function makeFolders(folder: string): Promise<void> {
  for (const name of ['events', 'drivers', 'work', 'yarn']) await mkdir(join(folder, name));
}

function commonConf(platform: Platform): Record<string, string> {
  const sink = 'spark.metrics.conf.*.sink.graphite';
  return {
    'spark.tollgate.project': platform.project,
    'spark.sql.shuffle.partitions': '2',
    'spark.eventLog.enabled': 'true',
    'spark.eventLog.dir': `file://${join(platform.folder, 'events')}`,
    'spark.eventLog.compress': 'true',
    'spark.eventLog.compression.codec': 'zstd',
    'spark.eventLog.rolling.enabled': 'true',
    'spark.eventLog.rolling.maxFileSize': '10m',
    [`${sink}.class`]: 'org.apache.spark.metrics.sink.GraphiteSink',
    [`${sink}.host`]: '127.0.0.1',
    [`${sink}.port`]: `${platform.graphitePort}`,
    [`${sink}.period`]: '2',
    [`${sink}.unit`]: 'seconds',
    [`${sink}.prefix`]: platform.project,
    'spark.metrics.conf.*.source.jvm.class': 'org.apache.spark.metrics.source.JvmSource',
    'spark.sql.streaming.metricsEnabled': 'true',
  };
}

const here = (file: string): string => join(import.meta.dirname, file);

/** On a standalone cluster; pattern layouts in the driver's log and in two executors' files. */
async function runBatch(platform: Platform): Promise<SparkRun> {
  const { spark, folder } = platform;
  await using cluster = await startStandalone(spark, folder);
  return await runSpark(spark, {
    app: here('batch.py'),
    args: ['200000', '2'],
    conf: {
      ...commonConf(platform),
      'spark.master': cluster.master,
      'spark.executor.cores': '1',
      'spark.cores.max': '2',
      'spark.executor.memory': `${EXECUTOR_MIB}m`,
      'spark.driver.log.persistToDfs.enabled': 'true',
      'spark.driver.log.dfsDir': `file://${join(folder, 'drivers')}`,
    },
  });
}

/** In local mode; structured logging in a path as YARN lays it out. */
function runStream(platform: Platform): Promise<SparkRun> {
  const { spark, folder, progressAddress } = platform;
  const logs = join(folder, 'yarn', STREAM_APPLICATION, STREAM_CONTAINER);
  const log4j = `-Dlog4j2.configurationFile=file:${here('log4j2-json.properties')}`;
  return runSpark(spark, {
    app: here('streaming.py'),
    args: [progressAddress, join(folder, 'checkpoints'), '6'],
    conf: {
      ...commonConf(platform),
      'spark.master': 'local[2]',
      'spark.test.appId': STREAM_APPLICATION,
      'spark.log.structuredLogging.enabled': 'true',
      'spark.driver.extraJavaOptions': `${log4j} -Dcontainer.log.dir=${logs}`,
    },
  });
}

/** Both at once, to their ends. @throws when one fails, with what it printed */
export async function runApplications(platform: Omit<Platform, 'spark'>): Promise<RanApplications> {
  const whole = { ...platform, spark: await installSpark() };
  const [batch, stream] = await Promise.all([runBatch(whole), runStream(whole)]);
  for (const { exitCode, stdout, stderr } of [batch, stream]) {
    if (exitCode === 0) continue;
    throw new Error(`exit code ${exitCode}: ${stdout.slice(-2_000)}${stderr.slice(-4_000)}`);
  }
  return { batch, stream };
}
