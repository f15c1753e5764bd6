import assert from 'node:assert/strict';
import test from 'node:test';
import { applicationLogSpan, minuteAround } from './log-span.js';
import { shortId } from './short-id.js';
import { splitMessage } from './split-message.js';

test('a stack trace shows its first line and counts the others', () => {
  const trace = 'java.io.IOException: full\n\tat a.b(C.java:1)\nCaused by: x';
  assert.deepEqual(splitMessage(trace), {
    head: 'java.io.IOException: full',
    rest: trace,
    hiddenLines: 2,
  });
});

test('a short line is whole, a long one opens', () => {
  assert.deepEqual(splitMessage('done'), { head: 'done', rest: '', hiddenLines: 0 });
  const long = 'x'.repeat(401);
  assert.deepEqual(splitMessage(long), { head: `${'x'.repeat(400)}…`, rest: long, hiddenLines: 0 });
});

test('short identifiers stay, long ones keep the end that tells them apart', () => {
  assert.equal(shortId('driver'), 'driver');
  assert.equal(shortId('container_1763712000000_0003_01_000004'), '…_01_000004');
  assert.notEqual(
    shortId('application_1763712000000_0003'),
    shortId('application_1763712000000_0004'),
  );
  assert.equal(shortId('x'.repeat(40)), `…${'x'.repeat(12)}`);
});

const NOW = Date.parse('2026-11-21T10:30:00.000Z');
const iso = (ms: number) => new Date(ms).toISOString();

test('logs of a running application are those of its last minutes, not from before its start', () => {
  const start = iso(NOW - 3_600_000);
  assert.deepEqual(applicationLogSpan({ start, end: null }, NOW), {
    fromMs: NOW - 15 * 60_000,
    untilMs: NOW + 60_000,
  });
  const young = applicationLogSpan({ start: iso(NOW - 30_000), end: null }, NOW);
  assert.equal(young.fromMs, NOW - 90_000);
});

test('logs of an ended application are those about its end', () => {
  const end = NOW - 7_200_000;
  const { fromMs, untilMs } = applicationLogSpan({ start: iso(end - 600_000), end: iso(end) }, NOW);
  assert.equal(fromMs, end - 660_000);
  assert.equal(untilMs, end + 60_000);
});

test('a span never ends before it begins, even when clocks disagree', () => {
  const { fromMs, untilMs } = applicationLogSpan({ start: iso(NOW + 600_000), end: null }, NOW);
  assert.ok(fromMs < untilMs);
});

test('the minute around a line reaches a minute both ways', () => {
  assert.deepEqual(minuteAround(NOW), { fromMs: NOW - 60_000, untilMs: NOW + 60_000 });
});
