import type { DeclaredSeries } from './influx-declarations.ts';

/** Points of one request, in the order of writing. Entries `[0, length)` count. */
export interface PointColumns {
  readonly series: DeclaredSeries[];
  readonly at: Float64Array;
  readonly value: Float64Array;
  length: number;
}

export function emptyColumns(capacity: number): PointColumns {
  return {
    series: new Array(capacity),
    at: new Float64Array(capacity),
    value: new Float64Array(capacity),
    length: 0,
  };
}

export interface Lines {
  readonly text: string;
  /** How many lines it has: what InfluxDB calls points. */
  readonly lines: number;
  /** The first point that found no room. */
  readonly until: number;
}

const MAX_FIELDS = 256;
let lineNumber = 0;

function numberText(value: number): string {
  return value === 0 && Object.is(value, -0) ? '-0' : `${value}`;
}

/**
 * Line protocol of points `[from, until)`, as many as fit. Neighbours of one key and time share a
 * line; a field that comes again begins a new one, which then overwrites the one before.
 */
export function encodeLines(
  points: PointColumns,
  from: number,
  until: number,
  maxBytes: number,
): Lines {
  let text = '';
  let lines = 0;
  let fields = 0;
  let i = from;
  let key: DeclaredSeries['key'];
  let at = Number.NaN;
  for (; i < until; i += 1) {
    const series = points.series[i];
    if (series === undefined) break;
    const pointAt = points.at[i] ?? 0;
    const value = numberText(points.value[i] ?? 0);
    const joins =
      series.key === key && pointAt === at && series.line !== lineNumber && fields < MAX_FIELDS;
    if (joins) {
      text += `,${series.field}${value}`;
      fields += 1;
    } else {
      if (lines > 0) text += ` ${at}\n`;
      if (text.length >= maxBytes) return { text, lines, until: i };
      key = series.key;
      at = pointAt;
      text += `${key?.text ?? ''} ${series.field}${value}`;
      lines += 1;
      fields = 1;
      lineNumber += 1;
    }
    series.line = lineNumber;
  }
  if (lines > 0) text += ` ${at}\n`;
  return { text, lines, until: i };
}
