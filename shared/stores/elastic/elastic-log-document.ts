import { hash } from 'node:crypto';
import { LOG_LEVELS, type LogLevel, type LogRecord } from '../../contracts/log-record.ts';
import type { Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { StoredLog } from '../log-store.ts';
import { searchedWords } from './elastic-words.ts';

/** 132 bits: what Elasticsearch keeps of an id in base64url is 16.5 bytes. */
const ID_LENGTH = 22;
/** 84 bits for a project's source, of which there are few beside its lines. */
const SOURCE_LENGTH = 14;
/** Of a source's hash, what tells sources of one millisecond apart. */
const ORDER_LENGTH = 8;
const MAX_SOURCES = 10_000;
const NUMBERS = /^\d+(?:[+/]\d+)*$/;
const PLACED = /#\d+(?:[+/]\d+)*$/;
const BETWEEN = /[+/]/;
const ZERO = 48;

const digest = (text: string): string => hash('sha256', text, 'base64url');

/** Digits that sort as text in the order of their number: their count goes before them. */
function sortable(digits: string): string {
  const bare = digits.charCodeAt(0) === ZERO ? digits.replace(/^0+(?=.)/, '') : digits;
  return `${String.fromCharCode(64 + Math.min(bare.length, 26))}${bare}`;
}

/** Splits `file:…#4096+120` into the source's checkpoint key and its numbers. */
export function splitOrigin(origin: string): { source: string; position: string } {
  const end = origin.lastIndexOf('#');
  return end === -1
    ? { source: origin, position: '' }
    : { source: origin.slice(0, end), position: origin.slice(end + 1) };
}

const sources = new Map<string, string>();

/** Hash of a project's source. One source has many lines. */
function hashOfSource(project: string, source: string): string {
  const key = `${project}\0${source}`;
  let found = sources.get(key);
  if (found === undefined) {
    if (sources.size >= MAX_SOURCES) sources.clear();
    found = digest(`s${key}`);
    sources.set(key, found);
  }
  return found;
}

interface Place {
  /** Of its source, within its project. */
  readonly hash: string;
  /** Sorts as the lines of the source do. */
  readonly position: string;
}

/** Whether a record's id tells where it was read. */
function isPlaced({ id, origin }: LogRecord): boolean {
  return id === undefined && origin !== undefined && PLACED.test(origin);
}

/** Where a line was read; undefined for a record with an id of its own, or none. */
function placeOf({ project, id, origin }: LogRecord): Place | undefined {
  if (id !== undefined || origin === undefined) return undefined;
  const { source, position } = splitOrigin(origin);
  if (!NUMBERS.test(position)) return undefined;
  let sorted = '';
  for (const digits of position.split(BETWEEN)) sorted += sortable(digits);
  return { hash: hashOfSource(project, source), position: sorted };
}

/**
 * The document's id, equal whenever the same record comes again; undefined for a record without
 * identity. An `id` is the sender's word and goes before the place where it was read. Lines of one
 * source have ids that begin alike, which take a fifth less disk than hashes of each.
 */
export function documentId(record: LogRecord): string | undefined {
  const place = placeOf(record);
  if (place !== undefined) return `${place.hash.slice(0, SOURCE_LENGTH)}${place.position}`;
  const { project, id, origin } = record;
  const own = id === undefined ? (origin === undefined ? undefined : `o${origin}`) : `i${id}`;
  return own === undefined ? undefined : digest(`${project}\0${own}`).slice(0, ID_LENGTH);
}

/**
 * Where a line stands among those of its millisecond: lines of one source as they were read, others
 * as they were written. Unique among a project's records of one instant, since pages go by it.
 */
function orderOf(record: LogRecord, document: string, how: WriteContext): string {
  // Its id is made of the same.
  if (isPlaced(record)) return document.slice(0, ORDER_LENGTH) + document.slice(SOURCE_LENGTH);
  const turn = how.sequence.toString(36).padStart(6, '0');
  return `!${how.stored.toString(36).padStart(9, '0')}${turn}${document.slice(0, 8)}`;
}

export interface WriteContext {
  readonly stored: Instant;
  /** Rises with each record of the writer. */
  readonly sequence: number;
}

const json = (value: string): string => JSON.stringify(value.toWellFormed());

const MAX_FIELDS = 10_000;
const fields = new Map<string, string>();

/** JSON of what thousands of lines have in common, such as their application. */
function commonJson(value: string): string {
  let found = fields.get(value);
  if (found === undefined) {
    if (fields.size >= MAX_FIELDS) fields.clear();
    found = json(value);
    fields.set(value, found);
  }
  return found;
}

/**
 * The document of a record, as a line of JSON. Half a surrogate pair becomes U+FFFD. Put together
 * field by field, which takes half the time of an object's.
 */
export function documentLine(record: LogRecord, id: string, how: WriteContext): string {
  const message = record.message.toWellFormed();
  const marks = record.marks.length === 0 ? '' : `,"marks":${JSON.stringify(record.marks)}`;
  const own = record.id === undefined ? '' : `,"id":${json(record.id)}`;
  return (
    `{"at":${record.at},"stored":${how.stored},"project":${commonJson(record.project)}` +
    `,"cluster":${commonJson(record.cluster)},"application":${commonJson(record.application)}` +
    `,"container":${commonJson(record.container)},"level":"${record.level}"` +
    `,"logger":${commonJson(record.logger)},"thread":${commonJson(record.thread)}` +
    `,"fingerprint":${commonJson(record.fingerprint)}${marks}${own}` +
    `,"bytes":${Buffer.byteLength(message)},"order":"${orderOf(record, id, how)}"` +
    `,"message":${JSON.stringify(message)}` +
    `,"words":"${searchedWords(`${message} ${record.logger.toWellFormed()}`)}"}`
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A record as it was stored. What another hand put into the index becomes a record all the same. */
export function storedLog(id: string, source: Readonly<Record<string, unknown>>): StoredLog {
  const { level, marks } = source as { level?: LogLevel; marks?: unknown };
  return {
    key: id,
    at: Number(source['at']),
    project: text(source['project']) as ProjectId,
    cluster: text(source['cluster']),
    application: text(source['application']),
    container: text(source['container']),
    level: level !== undefined && LOG_LEVELS.includes(level) ? level : 'UNKNOWN',
    logger: text(source['logger']),
    thread: text(source['thread']),
    message: text(source['message']),
    fingerprint: text(source['fingerprint']),
    marks: Array.isArray(marks) ? marks.map(text) : [],
    ...(typeof source['id'] === 'string' ? { id: source['id'] } : {}),
  };
}
