import { z } from 'zod';

const OPERATORS = ['above', 'atLeast', 'below', 'atMost', 'equals'] as const;
type Operator = (typeof OPERATORS)[number];

/** The numbers on one side of a limit, or the limit itself. */
export interface Threshold {
  readonly operator: Operator;
  readonly limit: number;
}

const WORDS: Readonly<Record<Operator, string>> = {
  above: 'above',
  atLeast: 'at least',
  below: 'below',
  atMost: 'at most',
  equals: 'exactly',
};

const number = (sentence: string) => z.number().optional().describe(sentence);

/** `{ above: 80 }`, as rules write it: one operator with its number. */
export const threshold = z
  .strictObject({
    above: number('More than this.'),
    atLeast: number('This or more.'),
    below: number('Less than this.'),
    atMost: number('This or less.'),
    equals: number('Just this.'),
  })
  .meta({ minProperties: 1, maxProperties: 1 })
  .transform((written, context): Threshold => {
    const [operator, ...others] = OPERATORS.filter((name) => written[name] !== undefined);
    if (operator === undefined || others.length > 0) {
      const message = `must have one of ${OPERATORS.join(', ')}, as in "above: 80"`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    return { operator, limit: written[operator] ?? 0 };
  });

export function holds({ operator, limit }: Threshold, value: number): boolean {
  switch (operator) {
    case 'above':
      return value > limit;
    case 'atLeast':
      return value >= limit;
    case 'below':
      return value < limit;
    case 'atMost':
      return value <= limit;
    case 'equals':
      return value === limit;
  }
}

/** Whether some number is in both. */
export function overlaps(a: Threshold, b: Threshold): boolean {
  const upwards = ({ operator }: Threshold): boolean =>
    operator === 'above' || operator === 'atLeast';
  if (a.operator === 'equals') return holds(b, a.limit);
  if (b.operator === 'equals') return holds(a, b.limit);
  if (upwards(a) === upwards(b)) return true;
  const [from, to] = upwards(a) ? [a, b] : [b, a];
  if (from.limit !== to.limit) return from.limit < to.limit;
  return from.operator === 'atLeast' && to.operator === 'atMost';
}

/** As people read it, such as `above 80 %`. */
export function thresholdText({ operator, limit }: Threshold, unit: string): string {
  return `${WORDS[operator]} ${limit}${unit === '' ? '' : ` ${unit}`}`;
}
