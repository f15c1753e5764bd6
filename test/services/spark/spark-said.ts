import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { basename } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { removedAt } from './event-log-containers.ts';

/**
 * What Spark printed and wrote, read here without any of Tollgate's parsers: each of these is a few
 * lines, so that a look shows that it is right.
 */

export interface SaidLog {
  readonly level: string;
  readonly logger: string;
  readonly message: string;
}

/** `yy/MM/dd HH:mm:ss[.SSS thread] LEVEL Logger: message`, and what stands below it. */
const PATTERN =
  /^\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d(?:\.\d{3} .+?)? (TRACE|DEBUG|INFO|WARN|ERROR|FATAL) (\S+): /;

/**
 * Events of a file in a pattern layout, each with its header's line, and all other lines: a trace
 * below its event, and what the JVM and the launcher print between, which belongs to none.
 */
export function patternEvents(path: string): { events: SaidLog[]; below: string[] } {
  const events: SaidLog[] = [];
  const below: string[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [head, level = '', logger = ''] = PATTERN.exec(line) ?? [];
    if (head !== undefined) events.push({ level, logger, message: line.slice(head.length) });
    else if (line.trim() !== '') below.push(line);
  }
  return { events, below };
}

interface SaidException {
  readonly class: string;
  readonly msg?: string | null;
  readonly stacktrace: readonly {
    class: string;
    method: string;
    file: string | null;
    line: string;
  }[];
}

/** A stack trace as Java prints it. */
function printed({ class: name, msg, stacktrace }: SaidException): string {
  const frames = stacktrace.map(
    (at) => `\n\tat ${at.class}.${at.method}(${at.file ?? ''}:${at.line})`,
  );
  return `\n${name}${msg == null ? '' : `: ${msg}`}${frames.join('')}`;
}

/** Events of a file of JSON objects, one a line. */
export function jsonEvents(path: string): SaidLog[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .map(({ level, logger, msg, exception }) => {
      const thrown = exception === undefined ? '' : printed(exception);
      return { level, logger, message: `${msg}${thrown}` };
    });
}

export interface SaidProgress {
  readonly id: string;
  readonly runId: string;
  readonly name: string | null;
  readonly timestamp: string;
  readonly batchId: number;
  readonly numInputRows: number;
  readonly inputRowsPerSecond?: number;
  readonly processedRowsPerSecond?: number;
  readonly durationMs: Readonly<Record<string, number>>;
  readonly stateOperators: readonly { numRowsTotal: number; memoryUsedBytes: number }[];
  readonly sink: { readonly numOutputRows: number };
}

export function printedProgress(stdout: string): SaidProgress[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('PROGRESS '))
    .map((line) => JSON.parse(line.slice('PROGRESS '.length)));
}

/** Lives that an event log tells, in ms: executors by id, and the application. */
export interface SaidLives {
  readonly application: string;
  readonly start: number;
  readonly end: number;
  readonly executors: ReadonlyMap<string, { readonly start: number; readonly end: number }>;
}

/** What an event log holds, of which every field may be missing. */
type SaidEvent = Readonly<Record<string, never>>;

/** All events of each rolled event log that has ended, by its application. */
async function eventLogs(folder: string): Promise<Map<string, SaidEvent[]>> {
  const logs = new Map<string, SaidEvent[]>();
  for await (const log of glob(`${folder}/eventlog_v2_*`)) {
    const parts = (await Array.fromAsync(glob(`${log}/events_*.zstd`))).sort(
      (a, b) => Number(basename(a).split('_')[1]) - Number(basename(b).split('_')[1]),
    );
    const events = parts.flatMap((part) =>
      zstdDecompressSync(readFileSync(part))
        .toString()
        .split('\n')
        .filter((line) => line !== '')
        .map((line): SaidEvent => JSON.parse(line)),
    );
    logs.set(basename(log).replace('eventlog_v2_', ''), events);
  }
  return logs;
}

/** Memory for blocks as event logs tell it: `<application> <executor> <time> <bytes on the heap>`. */
export async function eventLogStorage(folder: string): Promise<string[]> {
  const said: string[] = [];
  for (const [application, events] of await eventLogs(folder)) {
    for (const event of events) {
      const kind = String(event['Event']);
      if (!kind.startsWith('SparkListenerBlockManager')) continue;
      const { 'Executor ID': executor } = event['Block Manager ID'] as never;
      const bytes = kind.endsWith('Added') ? event['Maximum Onheap Memory'] : 0;
      said.push(`${application} ${executor} ${event['Timestamp']} ${bytes}`);
    }
  }
  return said;
}

export async function eventLogLives(folder: string): Promise<SaidLives[]> {
  const lives: SaidLives[] = [];
  for (const [application, events] of await eventLogs(folder)) {
    const isStandalone = application.startsWith('app-');
    const times = (kind: string): Map<string, number> =>
      new Map(
        events
          .filter(({ Event }) => Event === `SparkListener${kind}`)
          .map((event) => [
            event['Executor ID'] ?? '',
            removedAt({
              Timestamp: Number(event['Timestamp']),
              'Removed Reason': event['Removed Reason'] ?? '',
              isStandalone,
            }),
          ]),
      );
    const start = times('ApplicationStart').get('') ?? Number.NaN;
    const end = times('ApplicationEnd').get('') ?? Number.NaN;
    const removed = times('ExecutorRemoved');
    const executors = [...times('ExecutorAdded')].map(
      ([id, added]) => [id, { start: added, end: removed.get(id) ?? end }] as const,
    );
    lives.push({ application, start, end, executors: new Map(executors) });
  }
  return lives;
}
