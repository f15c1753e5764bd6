import { readFileSync } from 'node:fs';
import type { RunningStandalone } from '../servers/spark-standalone.ts';
import type { ManagedContainer } from './container-account.ts';

/** An executor as the master and its worker logged it. */
export interface StandaloneExecutor extends ManagedContainer {
  /** Its number within the application. */
  readonly executor: string;
  /** As the master names it. */
  readonly worker: string;
  /** When the worker took it. */
  readonly takenAt: number;
  /** When the master gave its cores away; its process ends after that. */
  readonly releasedAt: number;
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

/** The time of the first line for each of the keys that `read` finds in it. */
function timesOf(
  lines: readonly LogLine[],
  read: (message: string) => readonly string[],
): Map<string, number> {
  const times = new Map<string, number>();
  for (const { at, message } of lines) {
    for (const key of read(message)) if (!times.has(key)) times.set(key, at);
  }
  return times;
}

/** The first group of a pattern. */
function firstOf(pattern: RegExp): (message: string) => string[] {
  return (message) => (pattern.exec(message) ?? []).slice(1, 2);
}

/** `<application>/<executor>` of each that the master was asked to kill. */
function askedToKill(message: string): string[] {
  const asked = /^Application (app-\S+) requests to kill executors: ([\d, ]+)$/.exec(message);
  const [, application = '', ids = ''] = asked ?? [];
  return asked === null ? [] : ids.split(', ').map((id) => `${application}/${id}`);
}

/**
 * The manager's own account, read from its logs, since its `/json/` has no times of executors: from
 * the master's launch to the end of the process that the worker saw. The end of a worker that died,
 * when the master removed it, ends its executors.
 *
 * @param memoryMib of each executor, as its application asked for it
 */
export function standaloneAccount(
  { masterLogFile, workers }: RunningStandalone,
  memoryMib: number,
): StandaloneExecutor[] {
  const master = linesOf(masterLogFile);
  const worked = workers.flatMap(({ logFile }) => linesOf(logFile));
  const taken = timesOf(worked, firstOf(/^Asked to launch executor (app-\S+) for /));
  const finished = timesOf(worked, firstOf(/^Executor (app-\S+) finished with state /));
  const lost = timesOf(master, firstOf(/^Removing worker (worker-\S+) on /));
  const killed = timesOf(master, askedToKill);
  const removed = timesOf(master, firstOf(/^Removing app (app-\S+)$/));
  return master.flatMap(({ at, message }) => {
    const launch = /^Launching executor ((app-\S+)\/(\d+)) on worker (worker-\S+)/.exec(message);
    if (launch === null) return [];
    const [, id = '', application = '', executor = '', worker = ''] = launch;
    const finishedAt = finished.get(id) ?? lost.get(worker);
    const ends = [finishedAt, killed.get(id), removed.get(application)];
    return {
      ...{ container: `${application}//${executor}`, application, executor, worker, memoryMib },
      ...{ createdAt: at, takenAt: taken.get(id) ?? at },
      ...{ releasedAt: Math.min(...ends.filter((end) => end !== undefined)), finishedAt },
    };
  });
}
