import assert from 'node:assert/strict';
import { join } from 'node:path';
import { installSpark, runSpark } from '../services/servers/spark.ts';
import { buildAgent } from '../services/servers/spark-agent.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';

const option = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const TASKS = option('BENCH_SPARK_TASKS', 100_000);
const PAIRS = option('BENCH_SPARK_PAIRS', 10);
const WARM = 20_000;
const TIMEOUT_MS = 600_000;
/** Four log lines a task would take longer than the task. */
const QUIET = {
  'spark.master': 'local[2]',
  'spark.log.level': 'WARN',
  'spark.driver.defaultJavaOptions': '-XX:+UseSerialGC',
};

interface Timed {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly listenerCpuMs: number;
}

interface Measured extends Timed {
  readonly agentCpuMs: number;
  readonly heapMb: number;
}

/** Two blocks of one JVM, with the agent's listeners on the bus and without them. */
interface Pair {
  readonly on: Timed;
  readonly off: Timed;
  readonly listeners: number;
}

interface Run {
  readonly measured: Measured;
  readonly pairs: readonly Pair[];
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const percent = (ratio: number): string => `${(100 * (ratio - 1)).toFixed(2)} %`;

/** A job of many short tasks, with the agent's listeners and without them, block by block. */
export async function run(print: (line: string) => void): Promise<void> {
  await using folder = await temporaryFolder();
  const spark = await installSpark();
  const { jar } = await buildAgent(spark, folder.path);
  await using tollgate = await RunningTollgate.start(folder.path, {
    containers: { clusters: [{ id: 'bench' }] },
    metrics: { graphite: [] },
  });
  const agent = {
    'spark.jars': jar,
    'spark.plugins': 'tollgate.spark.TollgatePlugin',
    'spark.tollgate.url': tollgate.url,
    'spark.tollgate.cluster': 'bench',
    'spark.tollgate.project': 'bench',
  };
  const measure = async (conf: Record<string, string>, pairs: number): Promise<Run> => {
    const done = await runSpark(spark, {
      app: join(import.meta.dirname, 'spark/overhead.py'),
      args: [WARM, TASKS / PAIRS, pairs].map((count) => String(Math.round(count))),
      conf: { ...QUIET, ...conf },
      timeoutMs: TIMEOUT_MS,
    });
    const line = /^MEASURED (.*)$/m.exec(done.stdout)?.[1];
    if (line === undefined)
      throw new Error(
        `Spark failed: ${/Traceback[\s\S]*/.exec(done.stdout + done.stderr)?.[0] ?? done.stderr.slice(-2_000)}`,
      );
    const found = done.stdout.matchAll(/^PAIR (.*)$/gm);
    return {
      measured: JSON.parse(line) as Measured,
      pairs: [...found].map(([, json = '']) => JSON.parse(json) as Pair),
    };
  };
  const off = await measure({}, PAIRS);
  const { measured, pairs } = await measure(agent, PAIRS);
  assert.ok(pairs.length === PAIRS && pairs.every(({ listeners }) => listeners > 0));
  const walls = pairs.map((pair) => pair.on.wallMs / pair.off.wallMs);
  const cpus = pairs.map((pair) => pair.on.cpuMs / pair.off.cpuMs);
  const wallOff = sum(pairs.map(({ off: without }) => without.wallMs));
  const total = sum(pairs.map(({ on }) => on.wallMs)) / wallOff;
  const usOfTask = (of: (pair: Pair) => Timed): number =>
    (1_000 * sum(pairs.map((pair) => of(pair).listenerCpuMs))) / TASKS;
  const listening = { on: usOfTask(({ on }) => on), off: usOfTask((pair) => pair.off) };
  const busMs = ((listening.on - listening.off) * TASKS) / 1_000;
  print(
    `${TASKS} tasks in ${(wallOff / 1_000).toFixed(1)} s without ` +
      `the agent's listeners; with them wall time ${percent(median(walls))} at the median of ` +
      `${PAIRS} pairs of blocks in one JVM, ${percent(total)} in all (target below 1 %), of each: ` +
      walls.map(percent).join(', '),
  );
  print(
    `the thread of the listeners ${listening.off.toFixed(2)} µs a task without them, ${listening.on.toFixed(2)} ` +
      `with them: ${((100 * busMs) / wallOff).toFixed(3)} % of a core`,
  );
  print(
    `CPU of the driver ${percent(median(cpus))}; the agent's own threads ` +
      `${((100 * measured.agentCpuMs) / measured.wallMs).toFixed(3)} % of a core`,
  );
  const heapMb = measured.heapMb - off.measured.heapMb;
  print(`heap in use after a collection ${heapMb.toFixed(1)} MB more (target below 32)`);
}
