import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { attributeApplication } from '../../shared/attribution/attribute-application.ts';
import type { AttributionRules } from '../../shared/attribution/attribution-rules.ts';
import type { ReportedAttempt, ReportNote } from '../../shared/contracts/cost-report.ts';
import { type DecompressEnd, decompress } from '../../shared/event-log/decompress.ts';
import { EventLogReader } from '../../shared/event-log/event-log-reader.ts';
import { LOG_NOTES, type LogNote } from '../../shared/event-log/log-notes.ts';
import { EventLogLines } from '../../shared/event-log/read-event-log.ts';
import { NO_SLOT_TIME } from '../../shared/event-log/slot-time.ts';
import type { RateCard } from '../../shared/values/rate-card.ts';
import type { LogSource } from './find-event-logs.ts';
import { AttemptMeter } from './meter-attempt.ts';

export interface ReadOptions {
  readonly rateCard: RateCard;
  readonly rules: AttributionRules;
  readonly yarnMemoryStepMib: number;
  /** Called with the bytes of each chunk that was read from disk. */
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** What a file gave: an attempt, a reason why it isn't (wholly) readable, or both. */
export interface ReadResult {
  readonly attempt: ReportedAttempt | undefined;
  readonly problem: string | undefined;
  readonly events: number;
}

const CHUNK_BYTES = 1024 * 1024;

/** The ids that Spark puts into the names of its logs; the whole name where there are none. */
function identityFromName(path: string): { application: string; attempt: string } {
  const name = basename(path);
  const id =
    /(application_\d+_\d+|app-\d{14}-\d{4,}|local-\d+|spark-[0-9a-f]{32})(?:_(\d+))?(?![0-9A-Za-z_])/.exec(
      name,
    );
  return { application: id?.[1] ?? name.slice(0, 256), attempt: id?.[2] ?? '' };
}

async function* counted(
  path: string,
  { onBytes, signal }: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES, signal })) {
    onBytes(chunk.length);
    yield chunk;
  }
}

function notesOf(reader: EventLogReader): ReportNote[] {
  return [...reader.notes].map(([kind, times]) => ({ kind, times, text: LOG_NOTES[kind] }));
}

/** Why a file without any event is no event log. */
function whyForeign(end: DecompressEnd | undefined, lines: EventLogLines): string {
  if (end?.kind === 'unsupported') return end.detail;
  if (end?.kind === 'corrupt') return `it is no event log: ${end.detail}`;
  if (lines.bytes === 0) return 'it is empty';
  return 'it is no event log: no line of it is an event of Spark';
}

interface Reading {
  readonly reader: EventLogReader;
  readonly lines: EventLogLines;
  end: DecompressEnd | undefined;
}

async function readParts(
  source: LogSource,
  reading: Reading,
  meter: AttemptMeter,
  options: ReadOptions,
): Promise<void> {
  const { reader, lines } = reading;
  for (const { path } of source.parts) {
    const bytes = decompress(counted(path, options), path, (end) => {
      reading.end = end;
    });
    for await (const chunk of bytes) {
      lines.push(chunk);
      meter.add(reader.takeFacts());
      if (lines.isForeign) return;
    }
    lines.end();
    if (reading.end?.kind === 'truncated') reader.note('truncated');
    // What is broken in a part may hide anything; the parts after it are still read.
    if (reading.end?.kind === 'corrupt') reader.note('corrupt-data');
  }
}

function problemOf(reader: EventLogReader): string | undefined {
  const worst: readonly LogNote[] = ['corrupt-data', 'unreadable-line', 'line-too-long'];
  const found = worst.filter((kind) => reader.notes.has(kind));
  if (found.length === 0) return undefined;
  return `not all of it could be read: ${found
    .map((kind) => `${LOG_NOTES[kind]} (${reader.notes.get(kind)})`)
    .join('; ')}`;
}

/** Reads one log to its end, in memory that doesn't depend on its size. Errors of the disk reject. */
export async function readAttempt(source: LogSource, options: ReadOptions): Promise<ReadResult> {
  const { rules, rateCard, yarnMemoryStepMib } = options;
  const reader = new EventLogReader({
    cluster: 'report',
    attribute: (application) => attributeApplication(rules, application),
    fallback: identityFromName(source.path),
    yarnMemoryStepMib,
  });
  const lines = new EventLogLines(reader);
  const reading: Reading = { reader, lines, end: undefined };
  const meter = new AttemptMeter(rateCard);
  await readParts(source, reading, meter, options);
  if (reader.events === 0) {
    return { attempt: undefined, problem: whyForeign(reading.end, lines), events: 0 };
  }
  if (source.isCompacted) reader.note('undercounted');
  if (source.hasGap) reader.note('missing-part');
  reader.finish('the log ends here');
  meter.add(reader.takeFacts());
  const { application, attribution, end, events } = reader;
  if (application === undefined || attribution === undefined || end === undefined) {
    const problem = 'it holds events of Spark, but none that tells of an application or a time';
    const more = problemOf(reader);
    return { attempt: undefined, problem: more ? `${problem}; ${more}` : problem, events };
  }
  const { slotMs, usefulMs, wastedMs, idleMs, tailMs, startUpMs } =
    reader.activity() ?? NO_SLOT_TIME;
  const { configuration: _secret, ...known } = application;
  const attempt: ReportedAttempt = {
    ...known,
    project: attribution.project,
    end: Math.max(end.at, application.start),
    endInferred: end.inferred,
    source: source.path,
    rows: meter.rows(),
    slots: { slotMs, usefulMs, wastedMs, idleMs, tailMs, startUpMs },
    taskRunMs: reader.taskRunMs,
    notes: notesOf(reader),
  };
  return { attempt, problem: problemOf(reader), events };
}
