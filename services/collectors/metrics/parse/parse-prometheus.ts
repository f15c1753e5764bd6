import { isInstant } from '../../../../shared/values/instant.ts';
import { dropped, type Fate, kept, quarantined } from '../../core/fate.ts';

/** One sample line of an exposition. A histogram's buckets and a summary's quantiles are such lines. */
export interface PrometheusSample {
  readonly name: string;
  /** In the order of the line; names are unique. */
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  /** In ms; undefined where the line has none, as usual. */
  readonly at: number | undefined;
}

/** Timestamps are ms in the text format 0.0.4, and seconds in OpenMetrics 1.0. */
export type PrometheusDialect = 'text' | 'openmetrics';

const MAX_LABELS = 32;
const MAX_NAME = 255;
const MAX_LABEL_VALUE = 512;
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,4})?$/;
const NOT_A_NUMBER = /^[-+]?(nan|inf|infinity)$/i;
const MILLISECONDS = /^-?\d{1,16}$/;
const SECONDS = /^-?\d{1,13}(\.\d{1,9})?$/;
const CONTROL = /\p{Cc}/u;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\', '"': '"', n: '\n' };

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t';
}

function skipBlanks(line: string, from: number): number {
  let at = from;
  while (isBlank(line[at])) at += 1;
  return at;
}

/** Reads a quoted value whose opening quote stands at `from`; undefined when it has no end. */
function readQuoted(line: string, from: number): { value: string; end: number } | undefined {
  if (line[from] !== '"') return undefined;
  let value = '';
  let start = from + 1;
  for (let at = start; at < line.length; at += 1) {
    if (line[at] === '"') return { value: value + line.slice(start, at), end: at + 1 };
    if (line[at] !== '\\') continue;
    const escaped = ESCAPES[line[at + 1] ?? ''];
    // Any other pair is two characters, as Prometheus reads it.
    if (escaped !== undefined) {
      value += line.slice(start, at) + escaped;
      start = at + 2;
    }
    at += 1;
  }
  return undefined;
}

interface Labels {
  readonly labels: ReadonlyMap<string, string>;
  readonly end: number;
}

/** Reads `{a="b",c="d"}` whose brace stands at `from`; a last comma is allowed. */
function readLabels(line: string, from: number): Labels | undefined {
  const labels = new Map<string, string>();
  let at = skipBlanks(line, from + 1);
  while (line[at] !== '}') {
    LABEL.lastIndex = at;
    const name = LABEL.exec(line)?.[0];
    if (name === undefined || name.length > MAX_NAME || labels.has(name)) return undefined;
    at = skipBlanks(line, at + name.length);
    if (line[at] !== '=') return undefined;
    const quoted = readQuoted(line, skipBlanks(line, at + 1));
    if (quoted === undefined || quoted.value.length > MAX_LABEL_VALUE) return undefined;
    // A newline in a label's value is allowed there, and in no tag.
    if (CONTROL.test(quoted.value) || labels.size === MAX_LABELS) return undefined;
    labels.set(name, quoted.value);
    at = skipBlanks(line, quoted.end);
    if (line[at] === ',') at = skipBlanks(line, at + 1);
    else if (line[at] !== '}') return undefined;
  }
  return { labels, end: at + 1 };
}

/**
 * Spark escapes nothing, and an application's name may hold quotes: its labels are found from both
 * ends. Source: apache/spark core/…/status/api/v1/PrometheusResource.scala (executors).
 */
function readExecutorLabels(line: string, from: number): Labels | undefined {
  const first = '{application_id="';
  const last = '", executor_id="';
  if (!line.startsWith('metrics_executor_') || !line.startsWith(first, from)) return undefined;
  const application = readQuoted(line, from + first.length - 1);
  const at = line.lastIndexOf(last);
  if (application === undefined || at < application.end) return undefined;
  if (!line.startsWith(', application_name="', application.end)) return undefined;
  const executor = readQuoted(line, at + last.length - 1);
  if (executor === undefined || line[executor.end] !== '}') return undefined;
  const { value } = application;
  if (value.length + executor.value.length > MAX_LABEL_VALUE) return undefined;
  if (CONTROL.test(value + executor.value)) return undefined;
  const labels = new Map([
    ['application_id', value],
    ['executor_id', executor.value],
  ]);
  return { labels, end: executor.end + 1 };
}

function instantOf(text: string, dialect: PrometheusDialect): number | undefined {
  const isSeconds = dialect === 'openmetrics';
  if (!(isSeconds ? SECONDS : MILLISECONDS).test(text)) return undefined;
  const at = isSeconds ? Math.floor(Number(text) * 1000) : Number(text);
  return isInstant(at) ? at : undefined;
}

/** Reads one line that is no comment and not blank. */
export function parsePrometheusLine(
  line: string,
  dialect: PrometheusDialect,
): Fate<PrometheusSample> {
  const name = NAME.exec(line)?.[0] ?? '';
  if (name === '' || name.length > MAX_NAME) return quarantined('malformed-line', line);
  let at = skipBlanks(line, name.length);
  let labels: ReadonlyMap<string, string> = new Map();
  if (line[at] === '{') {
    const found = readExecutorLabels(line, at) ?? readLabels(line, at);
    if (found === undefined) return quarantined('malformed-line', line);
    labels = found.labels;
    at = found.end;
  } else if (at === name.length) return quarantined('malformed-line', line);
  const exemplar = dialect === 'openmetrics' ? line.indexOf(' # ', at) : -1;
  const rest = line.slice(at, exemplar === -1 ? undefined : exemplar).trim();
  const [value = '', timestamp, more] = rest.split(/[ \t]+/, 3);
  if (more !== undefined) return quarantined('malformed-line', line);
  const time = timestamp === undefined ? undefined : instantOf(timestamp, dialect);
  if (timestamp !== undefined && time === undefined) return quarantined('malformed-line', line);
  if (NOT_A_NUMBER.test(value)) return dropped('not-a-number');
  if (!NUMBER.test(value)) return quarantined('malformed-line', line);
  const number = Number(value);
  return Number.isFinite(number)
    ? kept({ name, labels, value: number, at: time })
    : dropped('not-a-number');
}

/**
 * Reads an exposition line by line: HELP, TYPE, UNIT, other comments and blank lines are no records,
 * an exemplar is not read. What follows OpenMetrics' `# EOF` is none of it. A last line without its
 * newline may be cut, so it isn't believed.
 *
 * Source: prometheus.io/docs/instrumenting/exposition_formats, OpenMetrics 1.0.
 */
export function* parsePrometheus(
  text: string,
  dialect: PrometheusDialect,
  maxLineChars: number,
): Generator<Fate<PrometheusSample>> {
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const length = text[end - 1] === '\r' ? end - 1 - start : end - start;
    if (length > maxLineChars) yield dropped('line-too-long');
    else {
      const line = text.slice(start, start + length).trimStart();
      if (dialect === 'openmetrics' && line === '# EOF') return;
      if (line !== '' && !line.startsWith('#')) {
        yield newline === -1 ? dropped('partial-line') : parsePrometheusLine(line, dialect);
      }
    }
    start = end + 1;
  }
}

/** OpenMetrics says where it ends; one without that was cut. */
export function isWholeExposition(text: string, dialect: PrometheusDialect): boolean {
  return dialect === 'text' || /(^|\n)# EOF\r?\n?$/.test(text.slice(-16));
}
