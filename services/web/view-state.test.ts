import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { FIRST_VIEW, RANGES, readView, viewAddress, viewOfLogs } from './view-state.js';

const instant = fc
  .integer({ min: 0, max: 4_102_444_800_000 })
  .map((ms) => new Date(ms).toISOString());
const span = fc.oneof(
  fc.constant({ from: '', until: '' }),
  fc.record({ from: instant, until: instant }),
);
const name = fc.string({ maxLength: 200, unit: 'grapheme' }).filter((text) => text.length <= 400);
const view = fc
  .record({
    project: name,
    applications: fc.constantFrom('running' as const, 'ended' as const),
    text: name,
    level: fc.constantFrom('', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'),
    application: name,
    container: name,
    fingerprint: name,
    range: fc.constantFrom(...Object.keys(RANGES)),
    grouped: fc.boolean(),
    follow: fc.boolean(),
    span,
  })
  .map(({ span: { from, until }, follow, ...rest }) => ({
    ...rest,
    from,
    until,
    follow: from === '' && follow,
  }));

test('a shared address brings back the same view', () => {
  fc.assert(
    fc.property(view, (shared) => {
      const address = new URL(viewAddress(shared), 'http://127.0.0.1');
      assert.deepEqual(readView(address.search), shared);
    }),
  );
});

test('the first view has a clean address', () => {
  assert.equal(viewAddress(FIRST_VIEW), '/');
  assert.deepEqual(readView(''), FIRST_VIEW);
});

test('what an address says wrongly falls back, and nothing in it is too long', () => {
  const read = readView(
    `?level=loud&range=__proto__&from=yesterday&until=2026-11-21&applications=x&follow=0&text=${'a'.repeat(9999)}`,
  );
  assert.deepEqual({ ...read, text: '' }, { ...FIRST_VIEW, follow: false });
  assert.equal(read.text.length, 500);
});

test('a fixed time is not followed', () => {
  const { follow } = readView('?from=2026-11-21T10:00:00Z&until=2026-11-21T10:01:00Z&follow=1');
  assert.equal(follow, false);
});

test('the logs of a place keep no other filter', () => {
  const before = { ...FIRST_VIEW, text: 'error', level: 'WARN', fingerprint: 'ff', grouped: true };
  const place = { project: 'etl', application: 'app-1' };
  const span = { fromMs: Date.UTC(2026, 10, 21, 10), untilMs: Date.UTC(2026, 10, 21, 10, 2) };
  assert.deepEqual(viewOfLogs(before, place, span), {
    ...FIRST_VIEW,
    project: 'etl',
    application: 'app-1',
    from: '2026-11-21T10:00:00.000Z',
    until: '2026-11-21T10:02:00.000Z',
    follow: false,
  });
});
