/** Of a number, how it is written. Source: the proposal "JSON.parse source text access" (ES2026). */
interface NumberSource {
  readonly source?: string;
}

type Reviver = (key: string, value: unknown, context?: NumberSource) => unknown;

const exact: Reviver = (_key, value, context) => {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
};

/**
 * Parses JSON with whole numbers that a double can't hold as bigint: a `run_id` or
 * `spark_context_id` is an int64.
 *
 * @throws SyntaxError
 */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
}
