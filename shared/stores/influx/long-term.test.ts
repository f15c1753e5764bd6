import assert from 'node:assert/strict';
import test from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../values/instant.ts';
import {
  dueHours,
  type HourState,
  keptTags,
  longLineKey,
  longLines,
  readsLongTerm,
} from './long-term.ts';
import { WindowMarks } from './window-marks.ts';

const NOW = Date.UTC(2026, 10, 21, 12, 15);
const HOUR = Date.UTC(2026, 10, 21, 10);
const RULES = {
  rawRetentionMs: 48 * HOUR_MS,
  longStepMs: 5 * MINUTE_MS,
  longGraceMs: 10 * MINUTE_MS,
  longTags: ['query'],
};

function due(state: Partial<HourState>, now = NOW): boolean {
  return dueHours([{ hour: HOUR, writtenAt: HOUR, ...state }], now, RULES).length === 1;
}

test('an hour is due once it is over with its grace, and while its raw points are whole', () => {
  assert.ok(due({}));
  assert.ok(!due({ hour: HOUR + 2 * HOUR_MS }), 'it is not over');
  assert.ok(!due({}, HOUR + HOUR_MS + 10 * MINUTE_MS - 1));
  assert.ok(due({}, HOUR + HOUR_MS + 10 * MINUTE_MS));
  assert.ok(due({}, HOUR + 48 * HOUR_MS));
  assert.ok(!due({}, HOUR + 48 * HOUR_MS + 1), 'points of its beginning may be gone');
});

test('an hour is due again when points came after it was done, and not more often', () => {
  const computedAt = NOW - 20 * MINUTE_MS;
  assert.ok(!due({ computedAt, writtenAt: computedAt - 2 * MINUTE_MS }));
  assert.ok(due({ computedAt, writtenAt: computedAt + 1 }));
  assert.ok(due({ computedAt, writtenAt: computedAt - 1_000 }), 'clocks may differ');
  const justNow = NOW - MINUTE_MS;
  assert.ok(!due({ computedAt: justNow, writtenAt: NOW }));
});

test('hours are done in their order', () => {
  const states = [3, 1, 2].map((n) => ({ hour: HOUR - n * HOUR_MS, writtenAt: HOUR }));
  assert.deepEqual(
    dueHours(states, NOW, RULES),
    [3, 2, 1].map((n) => HOUR - n * HOUR_MS),
  );
});

test('age, step and tags decide what answers a query', () => {
  const old = { from: NOW - 3 * DAY_MS, stepMs: HOUR_MS };
  assert.ok(readsLongTerm(old, NOW, RULES));
  assert.ok(readsLongTerm({ ...old, tags: { query: 'q', cluster: 'c' } }, NOW, RULES));
  assert.ok(!readsLongTerm({ ...old, tags: { executor: '1' } }, NOW, RULES));
  assert.ok(!readsLongTerm({ ...old, stepMs: MINUTE_MS }, NOW, RULES));
  assert.ok(!readsLongTerm({ ...old, from: NOW - DAY_MS }, NOW, RULES));
  assert.deepEqual(keptTags(RULES), ['project', 'cluster', 'query']);
});

test('an answer becomes lines with one field for each part', () => {
  const key = longLineKey('a b', { query: 'x,y', project: 'p' });
  assert.equal(key, 'a\\ b,project=p,query=x\\,y');
  const columns = ['time', 'min', 'max', 'count', 'last'];
  const rows = [
    [1, -0, 2.5, 3, 2],
    [2, null, null, null, null],
  ];
  const answer = { statement: 0, name: 'a b', tags: {}, columns, rows };
  assert.equal(
    longLines('k', 'f g', answer),
    'k f\\ g_min=-0,f\\ g_max=2.5,f\\ g_count=3,f\\ g_last=2 1\n',
  );
});

test('an hour that comes in is marked once, and one that may be done with every write', () => {
  const marks = new WindowMarks(RULES.longGraceMs);
  const write = (project: string, at: number): string => {
    marks.touch(project, at);
    const lines = marks.lines(NOW);
    marks.done();
    return lines;
  };
  const line = (project: string, hour: number): string =>
    `tollgate_window,project=${project} written_at=${NOW} ${hour}\n`;
  const current = Date.UTC(2026, 10, 21, 12);
  assert.equal(write('a', NOW), line('a', current));
  assert.equal(write('a', NOW + 1), '');
  assert.equal(write('b', NOW), line('b', current));
  assert.equal(write('a', HOUR + 5), line('a', HOUR));
  assert.equal(write('a', HOUR + 6), line('a', HOUR));
  marks.touch('c', NOW);
  marks.forget();
  assert.equal(marks.lines(NOW), '', 'nothing of a failed write is marked');
  assert.equal(write('c', NOW), line('c', current));
});
