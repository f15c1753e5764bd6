import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../shared/runtime/clock.ts';
import { startDistributedStores } from '../services/support/distributed-stores.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { logLine } from './support/log-lines.ts';

const option = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const FILES = option('BENCH_OPEN_FILES', 2_000);
const SECONDS = option('BENCH_OPEN_SECONDS', 20);
/** Lines a second over all files while they are written to. */
const PACE = 400;
/** Files that grew lately are asked for more for 10 s. */
const SETTLE_MS = 15_000;
const RSS_MB = 150;
const ROOT = resolve(import.meta.dirname, '../..');
const IDLE_PERCENT = 2;

interface Usage {
  readonly rssMb: number;
  readonly cpuMs: number;
  readonly at: number;
}

/** Source: proc_pid_stat(5); its times are in ticks of 10 ms on Linux. */
function usage(pid: number): Usage {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const cpuMs = (Number(fields[11]) + Number(fields[12])) * 10;
  const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { rssMb: (Number(rss) * 1_024) / 1e6, cpuMs, at: systemClock.elapsed() };
}

const percent = (from: Usage, to: Usage): number =>
  (100 * (to.cpuMs - from.cpuMs)) / (to.at - from.at);

/** A node's files: 20 applications with 50 containers each, stdout and stderr. */
function makeFiles(folder: string): string[] {
  return Array.from({ length: FILES }, (_, n) => {
    const application = `application_1_${String(n % 20).padStart(4, '0')}`;
    const container = `container_1_${String(n % 20).padStart(4, '0')}_01_${String(Math.floor(n / 40)).padStart(6, '0')}`;
    const path = join(folder, application, container);
    mkdirSync(path, { recursive: true });
    return join(path, Math.floor(n / 20) % 2 === 0 ? 'stderr' : 'stdout');
  });
}

interface Elastic {
  readonly url: string;
  readonly prefix: string;
}

async function count({ url, prefix }: Elastic, query: string): Promise<number> {
  const path = `${url}/${prefix}-*/_count?ignore_unavailable=true&q=${encodeURIComponent(query)}`;
  const answer = (await (await fetch(path)).json()) as { count?: number };
  return answer.count ?? 0;
}

async function until(found: () => Promise<boolean>, withinMs: number): Promise<number> {
  const start = systemClock.elapsed();
  while (systemClock.elapsed() - start < withinMs) {
    if (await found()) return systemClock.elapsed() - start;
    await wait(20);
  }
  return Number.NaN;
}

/** `tollgate collect` with many log files, written to slowly, then not at all. */
export async function run(print: (line: string) => void): Promise<void> {
  // As it is installed: stripping types in memory takes some.
  execFileSync('npm', ['run', 'build'], { cwd: ROOT });
  await using distributed = await startDistributedStores();
  await using folder = await temporaryFolder();
  const logs = join(folder.path, 'logs');
  mkdirSync(logs);
  const stores = distributed.stores as { logs: { url: string; indexPrefix: string } };
  const elastic = { url: stores.logs.url, prefix: stores.logs.indexPrefix };
  const source = { paths: [`${logs}/{application}/{container}/*`], project: 'etl' };
  await using tollgate = await RunningTollgate.start(
    folder.path,
    // As on a node: one thread, and no listener for Graphite, since metrics go elsewhere.
    { stores, threads: false, metrics: { graphite: [] }, logs: { files: [source] } },
    'collect',
    join(ROOT, 'dist/services/cli/main.js'),
  );
  await wait(3_000);
  const empty = usage(tollgate.pid);
  const files = makeFiles(logs);
  for (const file of files) writeFileSync(file, logLine(1, systemClock.now()));
  const first = systemClock.elapsed();
  await until(async () => (await count(elastic, '*')) >= FILES, 60_000);
  const taken = systemClock.elapsed() - first;
  const before = usage(tollgate.pid);
  const begin = systemClock.elapsed();
  let peak = before.rssMb;
  let sent = 0;
  for (; sent < PACE * SECONDS; sent += 1) {
    if (sent % 40 === 0) {
      await wait(Math.max(0, begin + (sent * 1_000) / PACE - systemClock.elapsed()));
      peak = Math.max(peak, usage(tollgate.pid).rssMb);
    }
    appendFileSync(files[sent % FILES] ?? '', logLine(2 + (sent % 5), systemClock.now()));
  }
  const busy = usage(tollgate.pid);
  await wait(SETTLE_MS);
  const idle = usage(tollgate.pid);
  await wait(SECONDS * 1_000);
  const end = usage(tollgate.pid);
  const stored = await count(elastic, '*');
  const delays: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    appendFileSync(files[n * 397] ?? '', `26/11/21 10:00:0${n} WARN X: awakened${n} now\n`);
    delays.push(await until(async () => (await count(elastic, `words:awakened${n}`)) > 0, 10_000));
  }
  const handles = readdirSync(`/proc/${tollgate.pid}/fd`).length;
  print(
    `${FILES} files: ${empty.rssMb.toFixed(0)} MB before the first, all found and stored after ` +
      `${(taken / 1_000).toFixed(1)} s; ${handles} files open`,
  );
  print(
    `written to at ${PACE} lines/s: ${percent(before, busy).toFixed(1)} % of a core, peak ` +
      `${peak.toFixed(0)} MB (target ${RSS_MB}); ${stored} of ${FILES + sent} lines stored`,
  );
  print(
    `idle: ${percent(idle, end).toFixed(2)} % of a core (target ${IDLE_PERCENT}), ${end.rssMb.toFixed(0)} MB ` +
      `(target ${RSS_MB})`,
  );
  const slowest = Math.max(...delays);
  print(`a line in an idle file is found after ${slowest.toFixed(0)} ms at most (target 2,000)`);
}
