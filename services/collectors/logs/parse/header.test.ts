import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../../test/support/any-text.ts';
import { readHeader } from './header.ts';
import { levelAt, levelOf } from './level.ts';
import { LocalTime } from './local-time.ts';
import { TimeReader } from './time-reader.ts';

const header = (line: string, from = 0) =>
  readHeader(line, from, line.length, new TimeReader(new LocalTime('UTC')));

test('lines that begin no event have no header', () => {
  for (const line of [
    '',
    '\tat a.B.c(D.java:1)',
    'Caused by: java.io.IOException: x',
    '+---+',
    '20/01/02 03:04:05',
    '20/01/02 03:04:05 ',
    '20/01/02 03:04:05 some words only',
    '20/01/02 03:04 INFO A: x',
    '20-01/02 03:04:05 INFO A: x',
    '20/00/02 03:04:05 INFO A: x',
    '20/02/30 03:04:05 INFO A: x',
    '20/01/02 24:04:05 INFO A: x',
    '20/01/02 03:60:05 INFO A: x',
    '20/01/02 03:04:61 INFO A: x',
    '20/01/02 03:04:05 INFORMATION A: x',
    '20/01/02 03:04:05 a thread INFO but no logger',
    '2020-01-02 INFO A: x',
    '1234567890',
    '[20/01/02',
  ]) {
    assert.equal(header(line), undefined, line);
  }
});

test('a header is found anywhere in a larger text', () => {
  const text = 'before\n20/01/02 03:04:05 INFO A: x';
  const found = header(text, 7);
  assert.equal(text.slice(found?.messageAt), 'x');
});

test('a message may hold levels, brackets, colons and nothing at all', () => {
  for (const message of ['INFO: not this', '[x] y', 'a - b', 'A: B: c', '', ' lead']) {
    const line = `20/01/02 03:04:05 WARN A: ${message}`;
    const found = header(line);
    assert.deepEqual([found?.level, found?.logger], ['WARN', 'A']);
    assert.equal(line.slice(found?.messageAt), message);
  }
});

test('any default-layout line is read back', () => {
  const logger = fc.stringMatching(/^[A-Za-z][A-Za-z0-9.$_]{0,20}$/);
  const message = fc.string({ maxLength: 40 }).filter((text) => !/[\r\n]/.test(text));
  const level = fc.constantFrom('TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL');
  const second = fc.integer({
    min: Date.UTC(2010, 0, 1) / 1_000,
    max: Date.UTC(2069, 0, 1) / 1_000,
  });
  fc.assert(
    fc.property(second, level, logger, message, (at, name, from, text) => {
      const iso = new Date(at * 1_000).toISOString();
      const stamp = `${iso.slice(2, 10).replaceAll('-', '/')} ${iso.slice(11, 19)}`;
      const line = `${stamp} ${name} ${from}: ${text}`;
      const found = header(line);
      assert.deepEqual([found?.at, found?.level, found?.logger], [at * 1_000, name, from]);
      assert.equal(line.slice(found?.messageAt), text);
    }),
  );
});

test('no text makes it throw or read past the end of its line', () => {
  fc.assert(
    fc.property(anyText({ maxLength: 80 }), (noise) => {
      const line = `20/01/02 03:04:05 ${noise}`;
      const found = header(line);
      assert.ok(found === undefined || found.messageAt <= line.length + 1);
    }),
  );
});

test('times come in many shapes, fractions of any length', () => {
  const at = Date.UTC(2020, 0, 2, 3, 4, 5);
  const time = new TimeReader(new LocalTime('UTC'));
  for (const [text, ms, end] of [
    ['20/01/02 03:04:05', 0, 17],
    ['2020/01/02 03:04:05.1', 100, 21],
    ['2020-01-02T03:04:05.123456789Z', 123, 30],
    ['2020-01-02T04:04:05,12+0100', 120, 27],
    ['2020-01-01T21:34:05-05:30', 0, 25],
    ['20/01/02 03:04:05.', 0, 17],
  ] as const) {
    assert.equal(time.read(text, 0), at + ms, text);
    assert.equal(time.end, end, text);
    // The remembered minute gives the same.
    assert.equal(time.read(text, 0), at + ms, text);
  }
});

test('a minute with a zone is not remembered for lines without one', () => {
  const time = new TimeReader(new LocalTime('UTC'));
  assert.equal(time.read('2020-01-02T03:04:05+02:00', 0), Date.UTC(2020, 0, 2, 1, 4, 5));
  assert.equal(time.read('2020-01-02T03:04:06', 0), Date.UTC(2020, 0, 2, 3, 4, 6));
  assert.equal(time.read('2020-01-02T03:04:05+02:00', 0), Date.UTC(2020, 0, 2, 1, 4, 5));
});

test('levels go by any of their names', () => {
  assert.deepEqual(
    ['info', 'WARNING', 'Severe', 'critical', 'notice', 'fine', 'x', '', 'INFORMATIONAL'].map(
      levelOf,
    ),
    ['INFO', 'WARN', 'ERROR', 'FATAL', 'INFO', 'DEBUG', 'UNKNOWN', 'UNKNOWN', 'UNKNOWN'],
  );
  assert.deepEqual([0, 3, 4, 6, 7, 8, -1, 1.5].map(levelOf), [
    'FATAL',
    'ERROR',
    'WARN',
    'INFO',
    'DEBUG',
    'UNKNOWN',
    'UNKNOWN',
    'UNKNOWN',
  ]);
  assert.deepEqual([undefined, null, {}, []].map(levelOf), Array(4).fill('UNKNOWN'));
  for (const name of ['TRACE', 'DEBUG', 'INFO', 'WARN', 'WARNING', 'ERROR', 'FATAL', 'CRITICAL']) {
    assert.equal(levelAt(`${name} x`, 0), levelOf(name));
    assert.equal(levelAt(`${name}X`, 0), undefined);
    assert.equal(levelAt(name.toLowerCase(), 0), undefined);
  }
});
