import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installOnce, runInstaller } from './install-once.ts';

export const SPARK_VERSIONS = ['4.1.2', '3.5.8'] as const;
/** Between those two nothing is said or done otherwise, but by the agent's own tests. */
export type SparkVersion = (typeof SPARK_VERSIONS)[number] | '4.0.5';

export interface SparkHome {
  readonly version: SparkVersion;
  /** `SPARK_HOME`: what the package `pyspark` unpacks to. */
  readonly home: string;
  readonly python: string;
  /** Of everything that runs from it. */
  readonly env: Readonly<Record<string, string>>;
}

/** Spark from the package index, in a virtual environment of its own: 520 MB, 80 s the first time. */
export async function installSpark(version: SparkVersion = '4.1.2'): Promise<SparkHome> {
  const folder = await installOnce(`pyspark-${version}`, async (part) => {
    await runInstaller('python3', ['-m', 'venv', part], { cwd: '/' });
    const packages = [`pyspark==${version}`, 'kafka-python==3.0.12'];
    await runInstaller(
      join(part, 'bin/python'),
      ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', ...packages],
      { cwd: '/' },
    );
  });
  const python = join(folder, 'bin/python');
  const [minor = ''] = readdirSync(join(folder, 'lib')).filter((name) => name.startsWith('python'));
  const home = join(folder, 'lib', minor, 'site-packages/pyspark');
  const env = {
    SPARK_HOME: home,
    SPARK_LOCAL_IP: '127.0.0.1',
    PYSPARK_PYTHON: python,
    PYTHONUNBUFFERED: '1',
    // Log lines of Spark have no zone: the node's is meant.
    TZ: 'UTC',
  };
  return { version, home, python, env };
}

/** For runs of seconds on few cores: less compiling, one thread of garbage collection. */
export const SHORT_RUN_JVM = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';

export interface SparkApplication {
  /** A Python file. */
  readonly app: string;
  readonly conf: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Killed after this time. */
  readonly timeoutMs?: number;
}

export interface SparkRun {
  /** Null when it was killed. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
}

/** `spark-submit` of a Python application, to its end. The driver has 700 MB of heap. */
export async function runSpark(spark: SparkHome, run: SparkApplication): Promise<SparkRun> {
  const began = performance.now();
  const conf = Object.entries({
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.ui.enabled': 'false',
    'spark.driver.defaultJavaOptions': SHORT_RUN_JVM,
    'spark.executor.defaultJavaOptions': SHORT_RUN_JVM,
    ...run.conf,
  }).flatMap(([key, value]) => ['--conf', `${key}=${value}`]);
  const submit = [join(spark.home, 'bin/spark-submit'), '--driver-memory', '700m', ...conf];
  // pdeathsig: a test process that is killed leaves no driver behind.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...submit, run.app, ...(run.args ?? [])], {
    cwd: '/',
    env: { ...process.env, ...spark.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // The group: the driver's JVM and its Python.
  const late = setTimeout(
    () => process.kill(-(child.pid ?? 0), 'SIGKILL'),
    run.timeoutMs ?? 180_000,
  );
  const [exitCode] = (await once(child, 'close')) as [number | null];
  clearTimeout(late);
  return {
    exitCode,
    stdout: Buffer.concat(out).toString(),
    stderr: Buffer.concat(err).toString(),
    tookMs: Math.round(performance.now() - began),
  };
}
