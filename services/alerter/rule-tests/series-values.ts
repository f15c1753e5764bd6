/** A number; `missing`: the subject is there without a value; `stale`: it isn't there. */
export type SeriesValue = number | 'missing' | 'stale';

const VALUES_MAX = 100_000;
const NUMBER = '[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?|[+-]?[iI]nf|NaN';
const EXPANDING = new RegExp(`^(${NUMBER})(?:([+-])(${NUMBER}))?x(\\d{1,6})$`);
const SINGLE = new RegExp(`^(?:${NUMBER})$`);

const numberOf = (text: string): number => Number(text.replace(/[iI]nf/, 'Infinity'));

function expand(token: string): SeriesValue[] | undefined {
  if (token === 'stale') return ['stale'];
  const [, gaps] = /^_(?:x(\d{1,6}))?$/.exec(token) ?? [];
  if (token.startsWith('_') && (token === '_' || gaps !== undefined)) {
    return Array.from({ length: Number(gaps ?? 1) }, () => 'missing');
  }
  if (SINGLE.test(token)) return [numberOf(token)];
  const [, first, sign, step, times] = EXPANDING.exec(token) ?? [];
  if (first === undefined || times === undefined) return undefined;
  const by = step === undefined ? 0 : numberOf(step) * (sign === '-' ? -1 : 1);
  return Array.from({ length: Number(times) + 1 }, (_, i) => numberOf(first) + i * by);
}

/**
 * promtool's notation: `1 2 3`, `0+10x5` (0 10 … 50), `7x2` (7 7 7), `_` and `_x3`, `stale`. Source:
 * Prometheus docs/configuration/unit_testing_rules.md, "series".
 *
 * @returns the values, or what is wrong
 */
export function parseSeriesValues(
  text: string,
): { readonly values: readonly SeriesValue[] } | { readonly problem: string } {
  const values: SeriesValue[] = [];
  for (const token of text.split(/\s+/).filter((one) => one !== '')) {
    const expanded = expand(token);
    if (expanded === undefined) return { problem: `"${token.slice(0, 50)}" is no value` };
    if (values.length + expanded.length > VALUES_MAX) {
      return { problem: `has more than ${VALUES_MAX} values` };
    }
    for (const value of expanded) values.push(value);
  }
  return values.length === 0 ? { problem: 'has no value' } : { values };
}
