import type { LogLevel, LogRecord } from '../../../../shared/contracts/log-record.ts';
import { DAY_MS, type Instant } from '../../../../shared/values/instant.ts';
import type { ProjectId } from '../../../../shared/values/project-id.ts';
import { parseProjectId } from '../../../../shared/values/project-id.ts';
import { cleanText, isOdd } from './clean-text.ts';
import { fingerprint } from './fingerprint.ts';
import { type JsonRecord, parseJsonObject, readJsonRecord } from './json-record.ts';
import { maskSecrets } from './mask-secrets.ts';
import type { RawRecord } from './record-assembler.ts';
import type { TimeReader } from './time-reader.ts';

/** Where a record came from, which says what it can't say itself. */
export interface Origin {
  readonly project: ProjectId;
  readonly cluster: string;
  readonly application: string;
  readonly container: string;
}

/** Stores hold times from here on; Spark is younger. */
const EARLIEST = Date.UTC(2010, 0, 1);
const LATEST_AHEAD_MS = 2 * DAY_MS;
const MAX_FIELD = 300;
const MAX_ID = 200;

interface Parts {
  readonly at: Instant | undefined;
  readonly level: LogLevel;
  readonly logger: string;
  readonly thread: string;
  readonly message: string;
  readonly id?: string | undefined;
}

function cleanField(text: string): string {
  if (text.length <= MAX_FIELD && !isOdd(text)) return maskSecrets(text);
  return maskSecrets(cleanText(text.slice(0, MAX_FIELD)).replaceAll('\n', ' '));
}

/** A record as stores keep it: cleaned, masked, with a time. Undefined when it says nothing. */
export function finishRecord(
  parts: Parts,
  origin: Origin,
  how: {
    readonly observedAt: Instant;
    readonly lastAt: Instant | undefined;
    readonly cut: boolean;
    readonly position?: string | undefined;
  },
): LogRecord | undefined {
  const marks: string[] = how.cut ? ['cut'] : [];
  let { message } = parts;
  if (isOdd(message)) {
    const cleaned = cleanText(message);
    if (cleaned !== message.replace(/\r\n?/g, '\n') || cleaned.includes('\ufffd')) {
      marks.push('cleaned');
    }
    message = cleaned;
  }
  if (parts.at === undefined && message.trim() === '') return undefined;
  const masked = maskSecrets(message);
  if (masked !== message) marks.push('masked');
  let { at } = parts;
  if (at === undefined) {
    marks.push('time-observed');
    at = how.lastAt ?? how.observedAt;
  } else if (!(at >= EARLIEST && at <= how.observedAt + LATEST_AHEAD_MS)) {
    marks.push('time-implausible');
    at = how.observedAt;
  }
  return {
    at,
    project: origin.project,
    cluster: origin.cluster,
    application: origin.application,
    container: origin.container,
    level: parts.level,
    logger: cleanField(parts.logger),
    thread: cleanField(parts.thread),
    message: masked,
    fingerprint: fingerprint(masked),
    marks,
    ...(parts.id === undefined ? {} : { id: parts.id }),
    ...(how.position === undefined ? {} : { origin: how.position }),
  };
}

const HIGH = /[\u0080-\u00ff]/;

/** Text of a raw record: what was scanned byte for byte becomes characters. */
function decode(text: string, raw: Pick<RawRecord, 'encoding'>): string {
  return raw.encoding === 'utf-8' && HIGH.test(text)
    ? Buffer.from(text, 'latin1').toString('utf8')
    : text;
}

/**
 * What a JSON record says of its origin wins over where it lay. What its message is about stands in
 * only where neither tells anything.
 */
export function originOf(json: JsonRecord, origin: Origin): Origin | undefined {
  const project = json.project === undefined ? origin.project : parseProjectId(json.project);
  if (project === undefined) return undefined;
  const placed = [json, origin].some((one) => one.application !== '' || one.container !== '');
  const { application, container } = placed ? origin : json.about;
  return {
    project,
    cluster: json.cluster === '' ? origin.cluster : cleanField(json.cluster),
    application: cleanField(json.application === '' ? application : json.application),
    container: cleanField(json.container === '' ? container : json.container),
  };
}

/** Ids beyond this length are no ids. */
export function isUsableId(id: string | undefined): boolean {
  return id === undefined || id.length <= MAX_ID;
}

export interface ParseContext {
  readonly origin: Origin;
  readonly time: TimeReader;
  readonly observedAt: Instant;
  /** Time of the record before it in the source. */
  readonly lastAt: Instant | undefined;
  /** Whether a JSON record may name its project: only where its sender is trusted to. */
  readonly trusted: boolean;
  /** Where it was read, see `LogRecord.origin`. */
  readonly position?: string;
}

/** The log record of raw text, in whatever layout; undefined for a blank one. */
export function toLogRecord(raw: RawRecord, context: ParseContext): LogRecord | undefined {
  const { observedAt, lastAt, origin } = context;
  const how = { observedAt, lastAt, cut: raw.cut, position: context.position };
  if (raw.kind === 'json') {
    const object = parseJsonObject(decode(raw.text, raw));
    const json = object === undefined ? undefined : readJsonRecord(object, context.time);
    if (json !== undefined) {
      const own = originOf(context.trusted ? json : { ...json, project: undefined }, origin);
      const { at, level, logger, thread, message } = json;
      return finishRecord({ at, level, logger, thread, message }, own ?? origin, how);
    }
  }
  const { header } = raw;
  return finishRecord(
    {
      at: header?.at,
      level: header?.level ?? 'UNKNOWN',
      logger: header === undefined ? '' : decode(header.logger, raw),
      thread: header === undefined ? '' : decode(header.thread, raw),
      message: decode(header === undefined ? raw.text : raw.text.slice(header.messageAt), raw),
    },
    origin,
    how,
  );
}
