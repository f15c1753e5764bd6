import type { LogLevel } from '../../../../shared/contracts/log-record.ts';
import type { Instant } from '../../../../shared/values/instant.ts';
import { levelOf } from './level.ts';
import type { TimeReader } from './time-reader.ts';

/** What a structured record says; undefined or '' for what it doesn't. */
export interface JsonRecord {
  readonly at: Instant | undefined;
  readonly level: LogLevel;
  readonly logger: string;
  readonly thread: string;
  readonly message: string;
  readonly project: string | undefined;
  readonly cluster: string;
  readonly application: string;
  readonly container: string;
  /**
   * What the message is about: Spark's `context` holds the message's parameters, so that a driver's
   * line of a finished task names the executor of that task.
   */
  readonly about: { readonly application: string; readonly container: string };
  readonly id: string | undefined;
}

type Json = { readonly [key: string]: unknown };

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return '';
}

/** The first of these keys that holds text; a dotted key is flat, or a way into objects. */
function pick(json: Json, keys: readonly string[]): string {
  for (const key of keys) {
    if (Object.hasOwn(json, key)) {
      const text = textOf(json[key]);
      if (text !== '') return text;
    }
    const dot = key.indexOf('.');
    const inner =
      dot > 0 && Object.hasOwn(json, key.slice(0, dot)) ? json[key.slice(0, dot)] : undefined;
    if (isObject(inner)) {
      const text = pick(inner, [key.slice(dot + 1)]);
      if (text !== '') return text;
    }
  }
  return '';
}

/** Seconds, ms, µs or ns since 1970, told apart by size: each is right for the years 1973 to 5138. */
function instantOfNumber(value: number): Instant | undefined {
  if (!Number.isFinite(value) || value <= 0) return undefined;
  if (value < 1e11) return Math.round(value * 1_000);
  if (value < 1e14) return Math.round(value);
  if (value < 1e17) return Math.round(value / 1_000);
  return Math.round(value / 1e6);
}

const TIME_KEYS = [
  'ts',
  '@timestamp',
  'timestamp',
  'time',
  'timeMillis',
  'datetime',
  'date',
  'asctime',
];

function timeOf(json: Json, time: TimeReader): Instant | undefined {
  const instant = json['instant'];
  if (isObject(instant) && typeof instant['epochSecond'] === 'number') {
    const nanos = typeof instant['nanoOfSecond'] === 'number' ? instant['nanoOfSecond'] : 0;
    return instant['epochSecond'] * 1_000 + Math.floor(nanos / 1e6);
  }
  for (const key of TIME_KEYS) {
    const value = Object.hasOwn(json, key) ? json[key] : undefined;
    if (typeof value === 'number') return instantOfNumber(value);
    if (typeof value !== 'string' || value === '') continue;
    const at = time.read(value, 0);
    if (!Number.isNaN(at)) return at;
    if (/^\d{1,19}(?:\.\d{1,9})?$/.test(value)) return instantOfNumber(Number(value));
  }
  return undefined;
}

/** Spark's and PySpark's frames are objects, log4j's too; others send the printed trace. */
function frameText(frame: unknown): string {
  if (!isObject(frame)) return textOf(frame);
  const place = `${pick(frame, ['class'])}.${pick(frame, ['method'])}`;
  return `\tat ${place}(${pick(frame, ['file'])}:${pick(frame, ['line'])})`;
}

function traceText(value: unknown): string {
  return Array.isArray(value) ? value.map(frameText).join('\n') : textOf(value);
}

const NAME_KEYS = ['class', 'exception_class', 'name', 'type'];
const TEXT_KEYS = ['msg', 'exception_message', 'message', 'localizedMessage'];
const TRACE_KEYS = ['stacktrace', 'stack_trace', 'extendedStackTrace'];
const MAX_CAUSES = 20;

function thrownText(value: unknown): string {
  const parts: string[] = [];
  let thrown = value;
  for (let depth = 0; isObject(thrown) && depth < MAX_CAUSES; depth += 1) {
    const current: Json = thrown;
    const trace =
      TRACE_KEYS.map((key) => traceText(current[key])).find((text) => text !== '') ?? '';
    const name = pick(current, NAME_KEYS);
    const head = [name, pick(current, TEXT_KEYS)].filter((text) => text !== '').join(': ');
    // A printed trace begins with what the head says.
    const shown =
      name !== '' && trace.startsWith(name)
        ? trace
        : [head, trace].filter((text) => text !== '').join('\n');
    parts.push(depth === 0 ? shown : `Caused by: ${shown}`);
    thrown = current['cause'];
  }
  return typeof value === 'string' ? value : parts.join('\n');
}

function exceptionOf(json: Json): string {
  for (const key of ['exception', 'thrown', 'throwable', 'exc_info', 'stack_trace', 'stackTrace']) {
    // Java ends a printed trace with a line end.
    const text = Object.hasOwn(json, key) ? thrownText(json[key]).trimEnd() : '';
    if (text !== '') return text;
  }
  const trace = pick(json, ['error.stack_trace']);
  if (trace !== '') return trace;
  const parts = [pick(json, ['error.type']), pick(json, ['error.message'])];
  return parts.filter((text) => text !== '').join(': ');
}

function messageOf(json: Json): string {
  // GELF: the full message repeats the short one and goes on with the stack trace.
  const message = pick(json, [
    'full_message',
    'message',
    'msg',
    'short_message',
    'log',
    'event.original',
  ]);
  if (message !== '') return message;
  return isObject(json['message']) ? JSON.stringify(json['message']) : '';
}

/**
 * Reads one object of Spark's and PySpark's structured logging, ECS, logstash, GELF, log4j's
 * JsonLayout, spark-monitoring, or any other with a message. Undefined when it holds no message.
 *
 * Source: apache/spark common/utils/…/SparkLayout.json, python/pyspark/logger/logger.py;
 * apache/logging-log4j2 log4j-layout-template-json/…/{Ecs,LogstashJsonEventV1,Gelf}Layout.json.
 */
export function readJsonRecord(json: Json, time: TimeReader): JsonRecord | undefined {
  const message = messageOf(json);
  const exception = exceptionOf(json);
  if (message === '' && exception === '') return undefined;
  const repeats = exception === '' || message.includes(exception);
  const level = pick(json, ['level', 'log.level', 'levelname', 'severity', 'loglevel']);
  const syslog = json['level'];
  return {
    at: timeOf(json, time),
    level: levelOf(typeof syslog === 'number' ? syslog : level),
    logger: pick(json, ['logger', 'log.logger', 'logger_name', 'loggerName', '_logger', 'name']),
    thread: pick(json, ['thread', 'process.thread.name', 'thread_name', 'threadName', '_thread']),
    message: repeats ? message : [message, exception].filter((text) => text !== '').join('\n'),
    // A layout prints '' for a project that it wasn't told.
    project:
      Object.hasOwn(json, 'project') && json['project'] !== ''
        ? textOf(json['project'])
        : undefined,
    cluster: pick(json, ['cluster']),
    application: pick(json, ['application', 'application_id', 'app_id']),
    container: pick(json, ['container', 'container_id']),
    about: {
      application: pick(json, ['context.app_id']),
      container: pick(json, ['context.container_id', 'context.executor_id']),
    },
    id: typeof json['id'] === 'string' && json['id'] !== '' ? json['id'] : undefined,
  };
}

/** The object on one line; undefined when it isn't one. */
export function parseJsonObject(line: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
