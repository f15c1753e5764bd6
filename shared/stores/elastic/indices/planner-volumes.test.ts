import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../../values/instant.ts';
import type { ProjectId } from '../../../values/project-id.ts';
import { volumesOf } from './planner-volumes.ts';

const NOW = Date.UTC(2026, 10, 21);
const part = (project: string, bytes: number, ageDays: number) => ({
  project: project as ProjectId,
  index: 'x',
  bytes,
  first: NOW - ageDays * DAY_MS,
});

test('bytes of a project are spread over the days that it has logs', () => {
  const volumes = volumesOf([part('etl', 300, 6), part('etl', 100, 7), part('new', 50, 2)], NOW);
  assert.deepEqual(
    [...volumes],
    [
      ['etl', 400 / 7],
      ['new', 25],
    ],
  );
});

test('a project of an hour counts as of a day', () => {
  assert.deepEqual([...volumesOf([part('new', 50, 1 / 24)], NOW).values()], [50]);
});
