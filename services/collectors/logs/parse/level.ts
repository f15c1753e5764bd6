import type { LogLevel } from '../../../../shared/contracts/log-record.ts';

/** How loggers of the JVM, Python and syslog call them. */
const NAMES = new Map<string, LogLevel>([
  ['TRACE', 'TRACE'],
  ['ALL', 'TRACE'],
  ['FINEST', 'TRACE'],
  ['FINER', 'TRACE'],
  ['DEBUG', 'DEBUG'],
  ['FINE', 'DEBUG'],
  ['INFO', 'INFO'],
  ['NOTICE', 'INFO'],
  ['CONFIG', 'INFO'],
  ['WARN', 'WARN'],
  ['WARNING', 'WARN'],
  ['ERROR', 'ERROR'],
  ['SEVERE', 'ERROR'],
  ['ERR', 'ERROR'],
  ['FATAL', 'FATAL'],
  ['CRITICAL', 'FATAL'],
]);
/** Syslog severities 0 to 7, as GELF sends them. */
const SYSLOG: LogLevel[] = ['FATAL', 'FATAL', 'FATAL', 'ERROR', 'WARN', 'INFO', 'INFO', 'DEBUG'];

/** The level of a structured record; `UNKNOWN` for what isn't one. */
export function levelOf(value: unknown): LogLevel {
  if (typeof value === 'string') {
    return value.length > 10 ? 'UNKNOWN' : (NAMES.get(value.trim().toUpperCase()) ?? 'UNKNOWN');
  }
  return typeof value === 'number' ? (SYSLOG[value] ?? 'UNKNOWN') : 'UNKNOWN';
}

/** The level that stands at `at` in capitals, as log4j and Python print it, and nothing longer. */
export function levelAt(text: string, at: number): LogLevel | undefined {
  let level: LogLevel;
  let length = 5;
  switch (text.charCodeAt(at)) {
    case 73:
      if (!text.startsWith('INFO', at)) return undefined;
      level = 'INFO';
      length = 4;
      break;
    case 87:
      if (!text.startsWith('WARN', at)) return undefined;
      level = 'WARN';
      length = text.startsWith('ING', at + 4) ? 7 : 4;
      break;
    case 69:
      if (!text.startsWith('ERROR', at)) return undefined;
      level = 'ERROR';
      break;
    case 68:
      if (!text.startsWith('DEBUG', at)) return undefined;
      level = 'DEBUG';
      break;
    case 84:
      if (!text.startsWith('TRACE', at)) return undefined;
      level = 'TRACE';
      break;
    case 70:
      if (!text.startsWith('FATAL', at)) return undefined;
      level = 'FATAL';
      break;
    case 67:
      if (!text.startsWith('CRITICAL', at)) return undefined;
      level = 'FATAL';
      length = 8;
      break;
    default:
      return undefined;
  }
  const next = text.charCodeAt(at + length);
  return next === 32 || next === 9 || next === 93 || next === 58 ? level : undefined;
}
