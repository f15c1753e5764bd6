import { z } from 'zod';
import type { Instant } from '../../../shared/values/instant.ts';

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

/** Both ends belong to it. */
type Range = readonly [first: number, last: number];

interface Scale {
  readonly what: string;
  readonly names: readonly string[];
  /** Number of the first name. */
  readonly base: number;
  readonly min: number;
  readonly max: number;
}

const WEEKDAY: Scale = { what: 'weekday', names: WEEKDAYS, base: 0, min: 0, max: 6 };
const MONTH: Scale = { what: 'month', names: MONTHS, base: 1, min: 1, max: 12 };
const YEAR: Scale = { what: 'year', names: [], base: 0, min: 1970, max: 9_999 };
const DAY: Scale = { what: 'day of the month', names: [], base: 0, min: -31, max: 31 };

function numberOf(text: string, { names, base, min, max }: Scale): number | undefined {
  const name = names.indexOf(text.trim().toLowerCase());
  if (name >= 0) return name + base;
  if (names === WEEKDAYS || !/^-?\d{1,4}$/.test(text.trim())) return undefined;
  const number = Number(text);
  return number >= min && number <= max && number !== (min < 0 ? 0 : -1) ? number : undefined;
}

/** `monday:friday`, `1:5`, `-3:-1`, or one of them alone. */
function parseRange(text: string, scale: Scale): Range | undefined {
  const [from = '', to = from, ...more] = text.split(':');
  const first = numberOf(from, scale);
  const last = numberOf(to, scale);
  if (first === undefined || last === undefined || more.length > 0) return undefined;
  // Days from the month's end may follow days from its start: 28:-1.
  const crosses = first > 0 && last < 0;
  return first > last && !crosses ? undefined : [first, last];
}

const ranges = (scale: Scale, sentence: string) =>
  z
    .array(
      z.union([z.string(), z.number().transform(String)]).transform((text, context): Range => {
        const range = parseRange(text, scale);
        if (range !== undefined) return range;
        context.addIssue({
          code: 'custom',
          message: `"${text}" is no ${scale.what} or first:last`,
        });
        return z.NEVER;
      }),
    )
    .prefault([])
    .describe(sentence);

const CLOCK_TIME = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;

const minuteOfDay = z
  .string()
  .regex(CLOCK_TIME, 'must be a time such as 09:00, or 24:00')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Spans of time as Alertmanager's `time_intervals` has them: every field that is given must hold. */
export const timeInterval = z.strictObject({
  times: z
    .array(
      z
        .strictObject({
          start_time: minuteOfDay.describe('First minute.'),
          end_time: minuteOfDay.describe('Minute after the last.'),
        })
        .refine(({ start_time, end_time }) => start_time < end_time, {
          message: 'must end after it starts; a night is two spans',
        }),
    )
    .prefault([])
    .describe('Times of day.'),
  weekdays: ranges(WEEKDAY, 'Such as monday:friday.'),
  days_of_month: ranges(DAY, 'Such as 1:5; -1 is the last.'),
  months: ranges(MONTH, 'Such as january:march or 12.'),
  years: ranges(YEAR, 'Such as 2026:2027.'),
  location: z
    .string()
    .refine(isZone, 'is no time zone, such as Europe/Vienna')
    .default('UTC')
    .describe('Time zone.'),
});

export type TimeInterval = z.output<typeof timeInterval>;

interface LocalTime {
  readonly minute: number;
  readonly weekday: number;
  readonly day: number;
  readonly month: number;
  readonly year: number;
}

function localClock(timeZone: string): (at: Instant) => LocalTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    weekday: 'long',
    hour: 'numeric',
    minute: 'numeric',
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
    return {
      minute: number('hour') * 60 + number('minute'),
      weekday: WEEKDAYS.indexOf((parts.get('weekday') ?? '').toLowerCase()),
      day: number('day'),
      month: number('month'),
      year: number('year'),
    };
  };
}

const isIn = (value: number, list: readonly Range[]): boolean =>
  list.length === 0 || list.some(([first, last]) => value >= first && value <= last);

function isDayIn({ day, month, year }: LocalTime, list: readonly Range[]): boolean {
  if (list.length === 0) return true;
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const fromStart = (n: number): number => (n < 0 ? days + n + 1 : n);
  return list.some(([first, last]) => day >= fromStart(first) && day <= fromStart(last));
}

/** Whether a moment lies in one of the spans. */
export function compileIntervals(spans: readonly TimeInterval[]): (at: Instant) => boolean {
  const checks = spans.map((span) => {
    const clock = localClock(span.location);
    return (at: Instant): boolean => {
      const local = clock(at);
      const { times } = span;
      return (
        (times.length === 0 ||
          times.some((t) => local.minute >= t.start_time && local.minute < t.end_time)) &&
        isIn(local.weekday, span.weekdays) &&
        isDayIn(local, span.days_of_month) &&
        isIn(local.month, span.months) &&
        isIn(local.year, span.years)
      );
    };
  });
  return (at) => checks.some((check) => check(at));
}
