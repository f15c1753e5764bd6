import assert from 'node:assert/strict';
import test from 'node:test';
import { busiestProjects, MOST_PROJECTS } from './busiest-projects.js';
import { priceLine } from './price-line.js';

const at = (seconds: number) => new Date(seconds * 1000).toISOString();
const epoch = (start: number, multiplier: string) => ({
  start: at(start),
  end: null,
  multiplier,
  reason: 'smoothed load',
});

test('the line steps through what was in force up to now', () => {
  const pool = {
    pool: 'cpu',
    now: epoch(2000, '1.15'),
    next: null,
    history: [epoch(1000, '1.00'), epoch(2000, '1.15')],
  };
  assert.deepEqual(priceLine(pool, 2_500_000), [
    [1000, 2000, 2500],
    [1, 1.15, 1.15],
    [null, null, null],
  ]);
});

test('an announced price follows as a line of its own, without a gap', () => {
  const pool = { pool: 'cpu', now: epoch(2000, '1.15'), next: epoch(3000, '1.30'), history: [] };
  assert.deepEqual(priceLine(pool, 2_500_000), [
    [2000, 2500, 3000, 3600],
    [1.15, 1.15, null, null],
    [null, 1.15, 1.3, 1.3],
  ]);
});

test('times on the line always rise, also when a clock is behind', () => {
  const pool = {
    pool: 'cpu',
    now: epoch(5000, '1.15'),
    next: epoch(4000, '1.00'),
    history: [epoch(3000, '1.05'), epoch(1000, '1.00'), epoch(9000, '2.00')],
  };
  const [seconds] = priceLine(pool, 1_000_000);
  assert.deepEqual(
    seconds,
    [...new Set(seconds)].sort((a, b) => a - b),
  );
});

function aProject(id: string, burnPerHour: string, runningApplications = 0) {
  const balance = {
    project: id,
    granted: '0',
    charged: '0',
    accrued: '0',
    reserved: '0',
    balance: '0',
    burnPerHour,
    coverage: { exact: '0', inferred: '0', estimated: '0' },
    unlimited: true,
    asOf: at(0),
  };
  return { id, name: id, tags: {}, balance, runningApplications };
}

test('of many projects those that spend most are asked for their work', () => {
  const projects = Array.from({ length: 30 }, (_, i) => aProject(`p${i}`, String(i)));
  const asked = busiestProjects(projects, '');
  assert.equal(asked.length, MOST_PROJECTS);
  assert.equal(asked[0], 'p29');
});

test('among projects that spend the same, those that run most come first', () => {
  const projects = [aProject('b', '1'), aProject('a', '1'), aProject('c', '1', 2)];
  assert.deepEqual(busiestProjects(projects, ''), ['c', 'a', 'b']);
});

test('a chosen project is asked alone, even when nobody knows it', () => {
  assert.deepEqual(busiestProjects([aProject('a', '1')], 'gone'), ['gone']);
});
