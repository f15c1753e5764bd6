import type { LogLevel } from '../../../../shared/contracts/log-record.ts';
import type { Instant } from '../../../../shared/values/instant.ts';
import { levelAt } from './level.ts';
import type { TimeReader } from './time-reader.ts';

/** What a text layout prints before the message. */
export interface Header {
  readonly at: Instant;
  readonly level: LogLevel;
  readonly logger: string;
  readonly thread: string;
  /** Where the message begins in the text that was given. */
  readonly messageAt: number;
}

const BLANK = 32;
/** Spark's longest thread names hold a query's name, id and run id. */
const MAX_THREAD = 400;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isBlank = (code: number): boolean => code === BLANK || code === 9;

function isLoggerChar(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    isDigit(code) ||
    code === 46 ||
    code === 36 ||
    code === 95 ||
    code === 45 ||
    code === 47
  );
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

interface LoggerPart {
  readonly logger: string;
  readonly thread: string;
  readonly messageAt: number;
}

/** `Logger: `, `Logger:54 - `, `Logger (File.java:method(1)) - `, `Logger - `, `[thread] Logger: `. */
function loggerAt(text: string, from: number, end: number): LoggerPart | undefined {
  let at = skipBlanks(text, from);
  let thread = '';
  if (text.charCodeAt(at) === 91) {
    const close = text.indexOf(']', at);
    if (close === -1 || close >= end) return undefined;
    thread = text.slice(at + 1, close);
    at = skipBlanks(text, close + 1);
  }
  if (text.charCodeAt(at) === 45 && isBlank(text.charCodeAt(at + 1))) {
    return { logger: '', thread, messageAt: skipBlanks(text, at + 1) };
  }
  const start = at;
  while (at < end && isLoggerChar(text.charCodeAt(at))) at += 1;
  if (at === start) return undefined;
  const logger = text.slice(start, at);
  let next = text.charCodeAt(at);
  if (next === 58) {
    at += 1;
    const digits = at;
    while (isDigit(text.charCodeAt(at))) at += 1;
    if (at > digits && text.startsWith(' - ', at)) return { logger, thread, messageAt: at + 3 };
    return { logger, thread, messageAt: text.charCodeAt(digits) === BLANK ? digits + 1 : digits };
  }
  if (!isBlank(next)) return undefined;
  at = skipBlanks(text, at);
  next = text.charCodeAt(at);
  if (next === 40) {
    const close = text.indexOf(') - ', at);
    if (close !== -1 && close < end) return { logger, thread, messageAt: close + 4 };
  }
  if (next === 91) {
    const close = text.indexOf(']', at);
    if (close === -1 || close >= end) return undefined;
    const after = skipBlanks(text, close + 1);
    const sign = text.charCodeAt(after);
    if (sign !== 45 && sign !== 58) return undefined;
    return { logger, thread: text.slice(at + 1, close), messageAt: skipBlanks(text, after + 1) };
  }
  if (next === 45 && isBlank(text.charCodeAt(at + 1))) return { logger, thread, messageAt: at + 2 };
  if (next === 58 && isBlank(text.charCodeAt(at + 1))) return { logger, thread, messageAt: at + 2 };
  return undefined;
}

/** What stands between the time and the level: nothing, `[thread]`, `- name -`, a thread with blanks. */
function middle(text: string, from: number, to: number): { thread: string; logger: string } {
  let start = from;
  let end = to;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  if (text.charCodeAt(start) === 45 && text.charCodeAt(end - 1) === 45 && end - start > 2) {
    return { thread: '', logger: text.slice(start + 1, end - 1).trim() };
  }
  if (text.charCodeAt(start) === 91 && text.charCodeAt(end - 1) === 93) {
    start += 1;
    end -= 1;
  }
  return { thread: text.slice(start, end), logger: '' };
}

function wordAfter(text: string, at: number, end: number): number {
  const blank = text.indexOf(' ', at);
  return blank === -1 || blank >= end ? end : blank + 1;
}

/**
 * Reads the start of a log event in the layouts of Spark, Hadoop, log4j, logback and Python, without
 * regular expressions, because every line passes here. Undefined when the line starts no event.
 *
 * Source: apache/spark core/…/log4j2-defaults.properties, deploy/…/DriverLogger.scala.
 */
export function readHeader(
  text: string,
  from: number,
  end: number,
  time: TimeReader,
): Header | undefined {
  const bracket = text.charCodeAt(from) === 91 ? 1 : 0;
  if (!isDigit(text.charCodeAt(from + bracket))) return undefined;
  const at = time.read(text, from + bracket);
  if (Number.isNaN(at)) return undefined;
  const start = skipBlanks(text, time.end + bracket);
  const limit = Math.min(end, start + MAX_THREAD);
  for (let word = start; word < limit; word = wordAfter(text, word, end)) {
    const boxed = text.charCodeAt(word) === 91 ? 1 : 0;
    const level = levelAt(text, word + boxed);
    if (level === undefined) continue;
    const between = middle(text, start, word);
    let after = word + boxed;
    while (after < end && isLoggerChar(text.charCodeAt(after))) after += 1;
    if (boxed === 1) after += 1;
    const colon = text.charCodeAt(after) === 58;
    const part = loggerAt(text, colon ? after + 1 : after, end);
    if (part !== undefined) {
      return {
        at,
        level,
        logger: part.logger === '' ? between.logger : part.logger,
        thread: part.thread === '' ? between.thread : part.thread,
        messageAt: part.messageAt,
      };
    }
    if (word === start || between.logger !== '') {
      const { thread, logger } = between;
      return { at, level, logger, thread, messageAt: skipBlanks(text, after + (colon ? 1 : 0)) };
    }
  }
  return undefined;
}
