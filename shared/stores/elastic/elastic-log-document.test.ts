import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AT, logRecord } from '../../../test/contracts/log-store-suite.ts';
import { anyText } from '../../../test/support/any-text.ts';
import type { ProjectId } from '../../values/project-id.ts';
import { documentId, documentLine, splitOrigin, storedLog } from './elastic-log-document.ts';

const how = { stored: AT, sequence: 7 };

function fields(over: Parameters<typeof logRecord>[0], context = how): Record<string, unknown> {
  const record = logRecord(over);
  const id = documentId(record) ?? 'the-id-of-the-document';
  return JSON.parse(documentLine(record, id, context));
}

test('the same line has the same id, another one, or of another project, another', () => {
  const id = documentId(logRecord({ origin: 'file:1#0+9' }));
  assert.match(id ?? '', /^[\w-]{14}A0A9$/);
  assert.equal(documentId(logRecord({ origin: 'file:1#0+9', message: 'x', at: AT + 1 })), id);
  const others = [
    logRecord({ origin: 'file:1#0+8' }),
    logRecord({ origin: 'file:1#0+9', project: 'billing' as ProjectId }),
    logRecord({ id: 'file:1#0+9' }),
    logRecord({ id: 'x', origin: 'file:1#0+9' }),
  ].map(documentId);
  assert.equal(new Set([id, ...others]).size, 5);
});

test("the sender's id goes before the place of reading", () => {
  const id = documentId(logRecord({ id: 'x', origin: 'file:1#0+9' }));
  assert.equal(documentId(logRecord({ id: 'x', origin: 'tcp#1/2/3' })), id);
});

test('a record without identity has no id of its own', () => {
  assert.equal(documentId(logRecord()), undefined);
});

test('lines of one source and instant stand in the order of their places', () => {
  const place = fc.tuple(fc.nat(2 ** 40), fc.nat(9), fc.nat(9_999));
  fc.assert(
    fc.property(place, place, (a, b) => {
      const order = (at: readonly number[]) =>
        String(fields({ origin: `f#${at.join('/')}` })['order']);
      const wanted = Math.sign(a[0] - b[0]) || Math.sign(a[1] - b[1]) || Math.sign(a[2] - b[2]);
      const found = order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0;
      assert.equal(found, wanted);
    }),
  );
});

test('lines without a place stand in the order of their writing', () => {
  const orders = [1, 2, 11, 400].map(
    (sequence) => fields({ id: 'i' }, { stored: AT, sequence })['order'],
  );
  assert.deepEqual(orders, orders.toSorted());
  assert.equal(new Set(orders).size, 4);
});

test('an origin tells its source and its place', () => {
  assert.deepEqual(splitOrigin('file:/a#b#4096+12'), { source: 'file:/a#b', position: '4096+12' });
  assert.deepEqual(splitOrigin('alone'), { source: 'alone', position: '' });
});

test('a record comes back from its document, whatever its texts hold', () => {
  fc.assert(
    fc.property(
      fc.record({
        message: anyText(),
        logger: fc.string(),
        thread: anyText(),
        container: fc.string(),
        id: fc.string({ minLength: 1 }),
        marks: fc.subarray(['cut', 'masked']),
      }),
      (over) => {
        const line = documentLine(logRecord(over), 'k', how);
        assert.ok(!line.includes('\n'));
        const { key, ...record } = storedLog('k', JSON.parse(line));
        assert.equal(key, 'k');
        assert.deepEqual(record, logRecord(over));
      },
    ),
  );
});

test('half a surrogate pair is stored as the sign of something unreadable', () => {
  assert.equal(fields({ message: 'a\ud800b' })['message'], 'a\ufffdb');
});

test('bytes are those of the message in UTF-8', () => {
  assert.equal(fields({ message: 'äö' })['bytes'], 4);
});

test('a document that another hand wrote is a record all the same', () => {
  const { level, message, marks } = storedLog('k', { at: 5, level: 'LOUD', marks: 'x' });
  assert.deepEqual([level, message, marks], ['UNKNOWN', '', []]);
});
