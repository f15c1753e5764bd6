/** 16 digits that don't follow a decimal point: an integer that may pass 2^53. */
const LONG_INTEGER = /(?<![.0-9])[0-9]{16}/;
const INTEGER = /^-?[0-9]{1,19}$/;

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

const keepIntegers: Reviver = (_key, value, { source }) =>
  typeof value === 'number' &&
  !Number.isSafeInteger(value) &&
  source !== undefined &&
  INTEGER.test(source)
    ? BigInt(source)
    : value;

/** JSON with integers beyond 2^53 as bigint; undefined when it isn't JSON. */
export function parseJson(text: string): unknown {
  try {
    if (!LONG_INTEGER.test(text)) return JSON.parse(text);
    return JSON.parse(text, keepIntegers as (key: string, value: unknown) => unknown);
  } catch {
    return undefined;
  }
}
