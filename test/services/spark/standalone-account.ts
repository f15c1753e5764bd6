import { readFileSync } from 'node:fs';
import type { RunningStandalone } from '../servers/spark-standalone.ts';
import type { ManagedContainer } from './container-account.ts';

/** An executor as the master and its worker logged it. */
export interface StandaloneExecutor extends ManagedContainer {
  /** Its number within the application. */
  readonly executor: string;
  /** As the master names it. */
  readonly worker: string;
}

interface LogLine {
  readonly at: number;
  readonly message: string;
}

/** Lines `<epoch ms> <message>`; what stands below such a line is no event. */
function linesOf(file: string): LogLine[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, at, message = ''] = /^(\d{13}) (.*)/.exec(line) ?? [];
      return at === undefined ? [] : [{ at: Number(at), message }];
    });
}

/** The time of the first line that a pattern finds, by what its first group holds. */
function timesOf(lines: readonly LogLine[], pattern: RegExp): Map<string, number> {
  const times = new Map<string, number>();
  for (const { at, message } of lines) {
    const [, key] = pattern.exec(message) ?? [];
    if (key !== undefined && !times.has(key)) times.set(key, at);
  }
  return times;
}

/**
 * The manager's own account, read from its logs, since its `/json/` has no times of executors: from
 * the master's launch to the end of the process that the worker saw; the end of a worker that died,
 * when the master removed it, ends its executors.
 *
 * @param memoryMib of each executor, as its application asked for it
 */
export function standaloneAccount(
  { masterLogFile, workers }: RunningStandalone,
  memoryMib: number,
): StandaloneExecutor[] {
  const master = linesOf(masterLogFile);
  const finished = timesOf(
    workers.flatMap(({ logFile }) => linesOf(logFile)),
    /^Executor (app-\S+) finished with state /,
  );
  const lost = timesOf(master, /^Removing worker (worker-\S+) on /);
  return master.flatMap(({ at, message }) => {
    const launch = /^Launching executor ((app-\S+)\/(\d+)) on worker (worker-\S+)/.exec(message);
    if (launch === null) return [];
    const [, id = '', application = '', executor = '', worker = ''] = launch;
    const finishedAt = finished.get(id) ?? lost.get(worker);
    const container = `${application}//${executor}`;
    return [{ container, application, executor, worker, createdAt: at, finishedAt, memoryMib }];
  });
}
