import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { NO_LIMITS } from './evaluate-limits.ts';
import { limitsByProject, projectLimitsConfig } from './project-limits-config.ts';

const schema = z.object({ id: z.string(), limits: projectLimitsConfig });

test('a project has the limits that are written, exactly, and no others', () => {
  const limitsOf = limitsByProject(
    [
      schema.parse({
        id: 'etl',
        limits: { creditLine: '0.000000001', cores: 1.5, storedBytes: 10, failMode: 'closed' },
      }),
      schema.parse({ id: 'free' }),
    ],
    [],
  );
  assert.deepEqual(limitsOf('etl'), {
    ...{ creditLine: 1n, millicores: 1_500, storedBytes: 10n, logBytesPerDay: undefined },
    ...{ staleMs: 3_600_000, failMode: 'closed' },
  });
  assert.deepEqual(limitsOf('free'), NO_LIMITS);
  assert.deepEqual(limitsOf('nobody'), NO_LIMITS);
});

test('a log quota of a day limits jobs too, unless the project has another limit', () => {
  const quotas = [
    { project: 'etl', bytesPerDay: 5 },
    { project: 'ads', bytesPerDay: 6 },
    { project: 'lines' },
  ];
  const projects = [
    schema.parse({ id: 'etl', limits: { logBytesPerDay: 9 } }),
    schema.parse({ id: 'lines', limits: { cores: 1 } }),
  ];
  const limitsOf = limitsByProject(projects, quotas);
  const bytes = ['etl', 'ads', 'lines'].map((project) => limitsOf(project).logBytesPerDay);
  assert.deepEqual(bytes, [9n, 6n, undefined]);
});

test('limits that make no sense are refused, all of them', () => {
  const limits = { creditLine: '-1', cores: -1, storedBytes: 0.5, staleMs: 1, more: true };
  const { error } = schema.safeParse({ id: 'etl', limits });
  const paths = (error?.issues ?? []).map(({ path }) => path.at(-1));
  assert.deepEqual(paths, ['creditLine', 'cores', 'storedBytes', 'staleMs', 'limits']);
});
