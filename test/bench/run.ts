import { cpus, release, totalmem, type } from 'node:os';

/** A benchmark prints absolutes with ratios measured in the same run beside them. */
interface Bench {
  run(print: (line: string) => void): Promise<void>;
}

const BENCHES: Record<string, () => Promise<Bench>> = {
  report: () => import('./report.bench.ts'),
  logs: () => import('./logs.bench.ts'),
  elastic: () => import('./elastic.bench.ts'),
  metrics: () => import('./metrics.bench.ts'),
  influx: () => import('./influx.bench.ts'),
  progress: () => import('./progress.bench.ts'),
  kafka: () => import('./kafka.bench.ts'),
  agents: () => import('./agents.bench.ts'),
  'spark-agent': () => import('./spark-agent.bench.ts'),
  rating: () => import('./rating.bench.ts'),
  price: () => import('./price.bench.ts'),
  replay: () => import('./replay.bench.ts'),
  splits: () => import('./splits.bench.ts'),
  'open-files': () => import('./open-files.bench.ts'),
  collectors: () => import('./collectors.bench.ts'),
  fairness: () => import('./fairness.bench.ts'),
  quota: () => import('./quota.bench.ts'),
  reservations: () => import('./reservations.bench.ts'),
  'quota-postgresql': () => import('./quota-postgresql.bench.ts'),
  'alert-evaluation': () => import('./alert-evaluation.bench.ts'),
};

function machine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${memory} GiB, ${type()} ${release()}, Node ${process.version}`;
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  print(`no benchmark ${unknown.join(', ')}; there are: ${Object.keys(BENCHES).join(', ')}`);
  process.exitCode = 2;
} else {
  print(`machine: ${machine()}`);
  for (const [name, load] of Object.entries(BENCHES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    print(`\n== ${name}`);
    const bench = await load();
    await bench.run(print);
  }
}
