import type { StreamingRecord } from '../../../../shared/contracts/progress-record.ts';
import { DAY_MS, type Instant } from '../../../../shared/values/instant.ts';
import { type ProjectId, parseProjectId } from '../../../../shared/values/project-id.ts';
import { dropped, type Fate, kept, quarantined } from '../../core/fate.ts';
import { field, isObject, type JsonObject } from './json-field.ts';
import { parseJson } from './parse-json.ts';
import { progressFromLog } from './progress-from-log.ts';
import { readApplication, readIdentity } from './read-identity.ts';
import { type LifecycleKind, readLifecycle } from './read-lifecycle.ts';
import { readProgress } from './read-progress.ts';
import { readSpark20 } from './read-spark20.ts';

export interface ParseContext {
  /** Of records that name none, or ''. */
  readonly application: string;
  readonly receivedAt: Instant;
}

export interface ParsedRecord {
  readonly record: StreamingRecord;
  /** Named by the record itself. */
  readonly project: ProjectId | undefined;
}

/** Structured Streaming came with Spark 2.0, in July 2016. */
const FIRST_INSTANT = Date.UTC(2016, 0, 1);
const LISTENER = 'StreamingQueryListener$';
/** `{"Event":"org.apache.spark.sql.streaming.StreamingQueryListener$` has 66 characters. */
const EVENT_HEAD = 120;

const EVENTS: ReadonlyMap<string, LifecycleKind | 'progress'> = new Map([
  ['QueryStartedEvent', 'started'],
  ['QueryProgressEvent', 'progress'],
  ['QueryIdleEvent', 'idle'],
  ['QueryExecutionStartEvent', 'trigger'],
  ['QueryTerminatedEvent', 'terminated'],
  // Spark Connect's names of the same.
  ['QUERY_STARTED_EVENT', 'started'],
  ['QUERY_PROGRESS_EVENT', 'progress'],
  ['QUERY_IDLE_EVENT', 'idle'],
  ['QUERY_TERMINATED_EVENT', 'terminated'],
  // A listener's own envelope: {"kind":"started", …}.
  ['started', 'started'],
  ['progress', 'progress'],
  ['idle', 'idle'],
  ['trigger', 'trigger'],
  ['terminated', 'terminated'],
]);

function asObject(value: unknown): JsonObject | undefined {
  const parsed = typeof value === 'string' ? parseJson(value) : value;
  return isObject(parsed) ? parsed : undefined;
}

/** What an event without a name is, by the fields that only this one has. */
function guessKind(event: JsonObject): LifecycleKind | 'progress' | undefined {
  const has = (name: string): boolean => Object.hasOwn(event, name);
  if (has('sources') || has('durationMs') || has('batchId') || has('numInputRows')) {
    return 'progress';
  }
  if (!has('id') || !has('runId')) return undefined;
  if (has('exception')) return 'terminated';
  if (!has('timestamp')) return undefined;
  return has('name') ? 'started' : 'idle';
}

function readEvent(
  kind: LifecycleKind | 'progress',
  event: JsonObject,
  application: string,
): StreamingRecord | string {
  if (Object.hasOwn(event, 'queryStatus')) {
    return kind === 'idle' || kind === 'trigger'
      ? 'not-a-progress-record'
      : readSpark20(event, kind, application);
  }
  const body = kind === 'progress' ? (asObject(field(event, 'progress')) ?? event) : event;
  const of = readIdentity(body, readApplication(body) || application);
  if (typeof of === 'string') return of;
  return kind === 'progress' ? readProgress(body, of) : readLifecycle(kind, body, of);
}

function nameOf(event: JsonObject): string | undefined {
  const name = field(event, 'Event');
  if (typeof name !== 'string') return undefined;
  return name.slice(name.lastIndexOf('$') + 1);
}

/** A string says why there is none; `undefined` that the object is of another kind altogether. */
function readObject(
  object: JsonObject,
  application: string,
): StreamingRecord | { readonly dropped: string } | string {
  const of = readApplication(object) || application;
  const event = nameOf(object);
  if (event !== undefined) {
    // Spark 2.0.0 and 2.0.1 reported neither time nor number.
    if (Object.hasOwn(object, 'queryInfo')) return { dropped: 'without-measurements' };
    const kind = EVENTS.get(event);
    return kind === undefined ? { dropped: 'not-a-progress-event' } : readEvent(kind, object, of);
  }
  const connect = field(object, 'eventType');
  const connectKind = typeof connect === 'string' ? EVENTS.get(connect) : undefined;
  if (connectKind !== undefined) {
    const body = asObject(field(object, 'eventJson')) ?? asObject(field(object, 'event_json'));
    return body === undefined ? 'not-a-progress-record' : readEvent(connectKind, body, of);
  }
  const message = field(object, 'message') ?? field(object, 'msg');
  if (typeof message === 'string' && !Object.hasOwn(object, 'runId')) {
    if (Object.hasOwn(object, 'isTriggerActive')) return { dropped: 'query-status' };
    const progress = asObject(progressFromLog(message));
    return progress === undefined ? { dropped: 'log-line' } : readEvent('progress', progress, of);
  }
  const named = field(object, 'kind');
  const kind =
    (typeof named === 'string' ? EVENTS.get(named) : undefined) ??
    (Object.hasOwn(object, 'progress') || Object.hasOwn(object, 'queryStatus')
      ? 'progress'
      : guessKind(object));
  return kind === undefined ? 'not-a-progress-record' : readEvent(kind, object, of);
}

/** The project that a record claims, on its envelope or inside; null when that is no project id. */
function projectOf(object: JsonObject): ProjectId | undefined | null {
  const inner = field(object, 'progress');
  const named = field(object, 'project') ?? (isObject(inner) ? field(inner, 'project') : undefined);
  if (named === undefined || named === null || named === '') return undefined;
  return (typeof named === 'string' ? parseProjectId(named) : undefined) ?? null;
}

/**
 * One record of a streaming query, in any dialect, wrapped or bare, or a driver log's message with
 * one inside.
 */
export function parseRecord(text: string, context: ParseContext): Fate<ParsedRecord> {
  if (text.startsWith('{"Event":') && !text.slice(0, EVENT_HEAD).includes(LISTENER)) {
    return dropped('not-a-progress-event');
  }
  const json = parseJson(text) ?? parseJson(progressFromLog(text) ?? '');
  if (json === undefined) return quarantined('not-json', text);
  if (!isObject(json)) return quarantined('not-a-progress-record', text);
  const record = readObject(json, context.application);
  if (typeof record === 'string') return quarantined(record, text);
  if ('dropped' in record) return dropped(record.dropped);
  const project = projectOf(json);
  if (project === null) return quarantined('bad-project-id', text);
  const at = record.kind === 'progress' ? record.end : record.at;
  if (at !== null && (at < FIRST_INSTANT || at > context.receivedAt + DAY_MS)) {
    return quarantined('time-implausible', text);
  }
  return kept({ record, project });
}
