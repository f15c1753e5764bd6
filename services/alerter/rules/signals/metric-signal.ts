import { z } from 'zod';
import { span } from '../duration.ts';
import { name, projects, tags } from './signal-filters.ts';

/** How the points of one series in the window become one number. */
export const METRIC_FUNCTIONS = [
  'last',
  'mean',
  'min',
  'max',
  'sum',
  'count',
  'increase',
  'slope',
] as const;

const series = {
  measurement: name.describe('Measurement of the metric store, such as `jvm`.'),
  field: name.describe('Field of the measurement, such as `heap.usage`.'),
  tags,
  function: z
    .enum(METRIC_FUNCTIONS)
    .describe(
      'What is taken of the points in the window; `increase` of a counter that may begin anew, ' +
        '`slope` per second by least squares.',
    ),
};

export const metricSignal = z
  .strictObject({
    kind: z.literal('metric'),
    ...series,
    by: z
      .array(name)
      .max(10)
      .optional()
      .describe('Tags that make one subject, beside the project; without it each series is one.'),
    combine: z
      .enum(['sum', 'mean', 'min', 'max'])
      .default('max')
      .describe('How several series of one subject become one number.'),
    window: span('How far back points count.'),
    divisor: z
      .union([
        z
          .number()
          .refine((value) => value !== 0, 'must not be 0')
          .describe('A number.'),
        z
          .strictObject({
            measurement: series.measurement.optional(),
            field: series.field,
            tags,
            function: series.function.optional(),
          })
          .describe('Another field of the same subject, read as the first is.'),
      ])
      .optional()
      .describe('What the number is divided by; a subject whose divisor is zero has no value.'),
    unit: z.string().max(20).default('').describe('As people read the number, such as `bytes`.'),
    projects,
  })
  .describe('A number of the metric store.');
