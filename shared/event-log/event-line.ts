import { type Instant, parseInstant } from '../values/instant.ts';
import { isPlausible, type JsonObject, parseObject, textField } from './json-fields.ts';
import { readTaskEvent, scanTaskLine, type TaskEvent } from './task-line.ts';

/** What a line of an event log says, as far as the meter reads it. */
export type EventLine =
  | { readonly kind: 'event'; readonly name: string; readonly event: JsonObject }
  | { readonly kind: 'task-start'; readonly task: TaskEvent }
  | { readonly kind: 'task-end'; readonly task: TaskEvent }
  | {
      readonly kind: 'stage';
      readonly stageId: number;
      readonly attempt: number;
      readonly tasks: number;
      readonly at: Instant | undefined;
    }
  /** An event that the meter doesn't need, or one of a later Spark; `at` is when, where known. */
  | { readonly kind: 'other'; readonly name: string; readonly at: Instant | undefined }
  | { readonly kind: 'unreadable' };

const PREFIX = Buffer.from('{"Event":"');
const NAME_BYTES = 160;
const QUOTE = 0x22;
const CLOSING_BRACE = 0x7d;

const PARSED: ReadonlySet<string> = new Set([
  'SparkListenerLogStart',
  'SparkListenerApplicationStart',
  'SparkListenerApplicationEnd',
  'SparkListenerJobEnd',
  'SparkListenerEnvironmentUpdate',
  'SparkListenerResourceProfileAdded',
  'SparkListenerExecutorAdded',
  'SparkListenerExecutorRemoved',
  'SparkListenerMiscellaneousProcessAdded',
]);

/** Where other events carry their time, so that the last event of a cut log is known. */
const TIME_KEYS: ReadonlyMap<string, Buffer> = new Map(
  Object.entries({
    SparkListenerBlockManagerAdded: '"Timestamp":',
    SparkListenerBlockManagerRemoved: '"Timestamp":',
    SparkListenerJobStart: '"Submission Time":',
    SparkListenerStageSubmitted: '"Submission Time":',
    SparkListenerStageCompleted: '"Completion Time":',
    SparkListenerSQLExecutionStart: '"time":',
    SparkListenerSQLExecutionEnd: '"time":',
    QueryProgressEvent: '"timestamp":"',
    QueryIdleEvent: '"timestamp":"',
    QueryStartedEvent: '"timestamp":"',
  }).map(([name, key]) => [name, Buffer.from(key)]),
);
const STAGE_HEAD =
  /^\{"Event":"SparkListenerStageSubmitted","Stage Info":\{"Stage ID":(\d{1,9}),"Stage Attempt ID":(\d{1,9}),"Stage Name":"(?:[^"\\]|\\.)*","Number of Tasks":(\d{1,9}),/;
const STAGE_HEAD_BYTES = 2_048;

/** The class's own name: some events are written with their package. */
function simpleName(name: string): string {
  return name.slice(Math.max(name.lastIndexOf('.'), name.lastIndexOf('$')) + 1);
}

/** The event's name, when the line begins as Spark begins it. */
function nameOf(line: Buffer): string | undefined {
  if (
    line.length < PREFIX.length ||
    line.compare(PREFIX, 0, PREFIX.length, 0, PREFIX.length) !== 0
  ) {
    return undefined;
  }
  const limit = Math.min(line.length, PREFIX.length + NAME_BYTES);
  for (let at = PREFIX.length; at < limit; at += 1) {
    if (line[at] === QUOTE) return simpleName(line.toString('latin1', PREFIX.length, at));
  }
  return undefined;
}

function timeAfter(line: Buffer, key: Buffer): Instant | undefined {
  const found = line.lastIndexOf(key);
  if (found < 0) return undefined;
  const text = line.toString('latin1', found + key.length, found + key.length + 32);
  const iso = /^[\dT:.Z-]{20,24}(?=")/.exec(text);
  const at = iso === null ? Number(/^\d{1,15}/.exec(text)?.[0]) : parseInstant(iso[0]);
  return at !== undefined && isPlausible(at) ? at : undefined;
}

function other(line: Buffer, name: string): EventLine {
  const key = TIME_KEYS.get(name);
  const at = key === undefined ? undefined : timeAfter(line, key);
  if (name === 'SparkListenerStageSubmitted') {
    const head = STAGE_HEAD.exec(line.toString('latin1', 0, STAGE_HEAD_BYTES));
    if (head !== null) {
      const [stageId = 0, attempt = 0, tasks = 0] = head.slice(1).map(Number);
      return { kind: 'stage', stageId, attempt, tasks, at };
    }
  }
  return { kind: 'other', name, at };
}

function taskLine(kind: 'task-start' | 'task-end', event: JsonObject): EventLine {
  const task = readTaskEvent(event);
  return task === undefined ? { kind: 'unreadable' } : { kind, task };
}

function parsed(line: Buffer): EventLine {
  const event = parseObject(line);
  const name = event === undefined ? '' : simpleName(textField(event, 'Event'));
  if (event === undefined || name === '') return { kind: 'unreadable' };
  if (name === 'SparkListenerTaskStart') return taskLine('task-start', event);
  if (name === 'SparkListenerTaskEnd') return taskLine('task-end', event);
  if (PARSED.has(name)) return { kind: 'event', name, event };
  return other(line, name);
}

/**
 * Reads one line. Most lines (SQL plans, stages, block updates) are known by their first bytes and
 * never decoded; successful tasks are scanned; the few others are parsed. A line that isn't written
 * as Spark writes it is parsed whole, so that only speed depends on the order of keys.
 *
 * @param isLast the log ends in this line, perhaps in the middle of it: it is parsed to be sure
 */
export function readEventLine(line: Buffer, isLast = false): EventLine {
  if (isLast && parseObject(line) === undefined) return { kind: 'unreadable' };
  const name = nameOf(line);
  if (name === undefined || PARSED.has(name)) return parsed(line);
  if (line[line.length - 1] !== CLOSING_BRACE) return { kind: 'unreadable' };
  const isStart = name === 'SparkListenerTaskStart';
  if (!isStart && name !== 'SparkListenerTaskEnd') return other(line, name);
  const task = scanTaskLine(line, isStart ? 'start' : 'end');
  if (task === undefined) return parsed(line);
  return { kind: isStart ? 'task-start' : 'task-end', task };
}
