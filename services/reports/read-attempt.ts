import { attributeApplication } from '../../shared/attribution/attribute-application.ts';
import type { AttributionRules } from '../../shared/attribution/attribution-rules.ts';
import type { JournalFact } from '../../shared/contracts/container-fact.ts';
import type { ReportedAttempt, ReportNote, UseRow } from '../../shared/contracts/cost-report.ts';
import type { DecompressEnd } from '../../shared/event-log/decompress.ts';
import { EventLogReader } from '../../shared/event-log/event-log-reader.ts';
import { LOG_NOTES, type LogNote } from '../../shared/event-log/log-notes.ts';
import { EventLogLines } from '../../shared/event-log/read-event-log.ts';
import { SharedTaskTime, type Sharer } from '../../shared/event-log/shared-task-time.ts';
import { NO_SLOT_TIME } from '../../shared/event-log/slot-time.ts';
import {
  type CostShare,
  splitShared,
  type UnusedMethod,
} from '../../shared/rating/split-shared.ts';
import type { RateCard } from '../../shared/values/rate-card.ts';
import type { LogSource } from './find-event-logs.ts';
import { AttemptMeter } from './meter-attempt.ts';
import { identityFromName, type LogReading, readLogParts } from './read-log-parts.ts';

export interface ReadOptions {
  readonly rateCard: RateCard;
  readonly rules: AttributionRules;
  readonly yarnMemoryStepMib: number;
  /** Undefined where the cost isn't split over those who shared an application. */
  readonly sharer: Sharer | undefined;
  readonly unused: UnusedMethod;
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

function notesOf(reader: EventLogReader): ReportNote[] {
  return [...reader.notes].map(([kind, times]) => ({ kind, times, text: LOG_NOTES[kind] }));
}

/** Why a file without any event is no event log. */
export function whyForeign(end: DecompressEnd | undefined, lines: EventLogLines): string {
  if (end?.kind === 'unsupported') return end.detail;
  if (end?.kind === 'corrupt') return `it is no event log: ${end.detail}`;
  if (lines.bytes === 0) return 'it is empty';
  return 'it is no event log: no line of it is an event of Spark';
}

export function problemOf(reader: EventLogReader): string | undefined {
  const worst: readonly LogNote[] = ['corrupt-data', 'unreadable-line', 'line-too-long'];
  const found = worst.filter((kind) => reader.notes.has(kind));
  if (found.length === 0) return undefined;
  return `not all of it could be read: ${found
    .map((kind) => `${LOG_NOTES[kind]} (${reader.notes.get(kind)})`)
    .join('; ')}`;
}

function sharesOf(
  rows: readonly UseRow[],
  slotMs: number,
  { taskMs }: SharedTaskTime,
  unused: UnusedMethod,
): CostShare[] {
  const amount = (isExecutor: boolean): bigint =>
    rows.reduce(
      (sum, row) => ((row.role === 'executor') === isExecutor ? sum + row.amount : sum),
      0n,
    );
  return splitShared({ executors: amount(true), others: amount(false), slotMs, taskMs }, unused);
}

/** Reads one log to its end, in memory that doesn't depend on its size. Errors of the disk reject. */
export async function readAttempt(source: LogSource, options: ReadOptions): Promise<ReadResult> {
  const { rules, rateCard, yarnMemoryStepMib, sharer } = options;
  const reader = new EventLogReader({
    cluster: 'report',
    attribute: (application) => attributeApplication(rules, application),
    fallback: identityFromName(source.path),
    yarnMemoryStepMib,
  });
  const time = sharer === undefined ? undefined : new SharedTaskTime(sharer);
  const lines = new EventLogLines(reader, undefined, time?.push.bind(time));
  const reading: LogReading = { reader, lines, end: undefined };
  const meter = new AttemptMeter(rateCard);
  const { onBytes, signal } = options;
  const take = (facts: readonly JournalFact[]): boolean => {
    meter.add(facts);
    return true;
  };
  await readLogParts(source, reading, { onBytes, signal, take });
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
  const rows = meter.rows();
  const attempt: ReportedAttempt = {
    ...known,
    project: attribution.project,
    end: Math.max(end.at, application.start),
    endInferred: end.inferred,
    source: source.path,
    rows,
    slots: { slotMs, usefulMs, wastedMs, idleMs, tailMs, startUpMs },
    taskRunMs: reader.taskRunMs,
    shares: time === undefined ? [] : sharesOf(rows, slotMs, time, options.unused),
    notes: notesOf(reader),
  };
  return { attempt, problem: problemOf(reader), events };
}
