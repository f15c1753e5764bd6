import { join } from 'node:path';
import { installSpark, runSpark } from '../services/servers/spark.ts';
import { buildAgent } from '../services/servers/spark-agent.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';

const option = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const TASKS = option('BENCH_SPARK_TASKS', 100_000);
const PAIRS = option('BENCH_SPARK_PAIRS', 4);
const WARM = 20_000;
const TIMEOUT_MS = 600_000;
/** Four log lines a task would take longer than the task. */
const QUIET = {
  'spark.master': 'local[2]',
  'spark.log.level': 'WARN',
  'spark.driver.defaultJavaOptions': '-XX:+UseSerialGC',
};

interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly agentCpuMs: number;
  readonly heapMb: number;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const percent = (ratio: number): string => `${(100 * (ratio - 1)).toFixed(2)} %`;

/** A job of many short tasks, with the agent and without it, in pairs of any order. */
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
  const measure = async (conf: Record<string, string>): Promise<Measured> => {
    const done = await runSpark(spark, {
      app: join(import.meta.dirname, 'spark/overhead.py'),
      args: [String(WARM), String(TASKS)],
      conf: { ...QUIET, ...conf },
      timeoutMs: TIMEOUT_MS,
    });
    const line = /^MEASURED (.*)$/m.exec(done.stdout)?.[1];
    if (line === undefined)
      throw new Error(
        `Spark failed: ${/Traceback[\s\S]*/.exec(done.stderr)?.[0] ?? done.stderr.slice(-2_000)}`,
      );
    return JSON.parse(line) as Measured;
  };
  const pairs: { off: Measured; on: Measured }[] = [];
  for (let n = 0; n < PAIRS; n += 1) {
    const first = await measure(n % 2 === 0 ? {} : agent);
    const second = await measure(n % 2 === 0 ? agent : {});
    pairs.push(n % 2 === 0 ? { off: first, on: second } : { off: second, on: first });
  }
  const walls = pairs.map(({ off, on }) => on.wallMs / off.wallMs);
  const offMs = median(pairs.map(({ off }) => off.wallMs));
  print(
    `${TASKS} tasks in ${(offMs / 1_000).toFixed(1)} s without the agent; with it wall time ` +
      `${percent(median(walls))} at the median of ${PAIRS} pairs (target below 1 %), of each: ` +
      walls.map(percent).join(', '),
  );
  const cpus = pairs.map(({ off, on }) => on.cpuMs / off.cpuMs);
  const own = pairs.map(({ on }) => on.agentCpuMs / on.wallMs);
  print(
    `CPU of the driver ${percent(median(cpus))}; the agent's own threads ` +
      `${(100 * median(own)).toFixed(3)} % of a core`,
  );
  const heaps = pairs.map(({ off, on }) => on.heapMb - off.heapMb);
  print(`heap in use after a collection ${median(heaps).toFixed(1)} MB more (target below 32)`);
}
