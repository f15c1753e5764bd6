import { AppError } from '../../errors/app-error.ts';
import { decodeName } from './influx-name.ts';

export type Tags = Readonly<Record<string, string>>;

/** Rows of one series; a series may come in several parts. */
export interface AnswerPart {
  readonly statement: number;
  readonly name: string;
  readonly tags: Tags;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

interface RawAnswer {
  readonly error?: string;
  readonly results?: readonly {
    readonly statement_id?: number;
    readonly error?: string;
    readonly series?: readonly {
      readonly name?: string;
      readonly tags?: Record<string, string>;
      readonly columns?: readonly string[];
      readonly values?: readonly (readonly unknown[])[];
    }[];
  }[];
}

/** InfluxDB can't print a sum that no longer fits a double. */
export const TOO_LARGE_A_SUM = 'a sum is too large for the server to print';

function failed(message: string): AppError {
  if (/unsupported value/.test(message)) return new AppError('BAD_REQUEST', TOO_LARGE_A_SUM);
  const missing = /not found/.test(message);
  return missing
    ? new AppError(
        'STORE_MISCONFIGURED',
        `InfluxDB says "${message.slice(0, 200)}"; run "tollgate stores init"`,
      )
    : new AppError('STORE_UNAVAILABLE', `InfluxDB can't answer: ${message.slice(0, 300)}`);
}

/** Tags of a series; InfluxDB names a tag that it doesn't have with an empty value. */
function tagsOf(raw: Record<string, string> | undefined): Tags {
  const entries = Object.entries(raw ?? {})
    .filter(([, value]) => value !== '')
    .map(([name, value]) => [decodeName(name), decodeName(value)] as const);
  return Object.fromEntries(entries);
}

function* partsOf(line: string): Generator<AnswerPart> {
  const answer = JSON.parse(line) as RawAnswer;
  if (answer.error !== undefined) throw failed(answer.error);
  for (const { statement_id = 0, error, series = [] } of answer.results ?? []) {
    if (error !== undefined) throw failed(error);
    for (const { name = '', tags, columns = [], values = [] } of series) {
      yield { statement: statement_id, name, tags: tagsOf(tags), columns, rows: values };
    }
  }
}

/**
 * Reads a chunked answer of `/query`: one JSON object a line. Source: influxdata/influxdb
 * services/httpd/handler.go (serveQuery), 1.8.
 *
 * @throws AppError what a statement failed with
 */
export async function* readAnswer(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<AnswerPart> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  for await (const chunk of bytes) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) {
      const whole = rest.length === 0 ? line : `${rest.join('')}${line}`;
      rest = [];
      if (whole.trim() !== '') yield* partsOf(whole);
    }
    if (last !== '') rest.push(last);
  }
  const whole = rest.join('');
  if (whole.trim() !== '') yield* partsOf(whole);
}
