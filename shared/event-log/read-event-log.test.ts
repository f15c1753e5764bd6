import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationStart, line } from '../../test/support/event-log-lines.ts';
import { UNATTRIBUTED } from '../values/project-id.ts';
import { EventLogReader } from './event-log-reader.ts';
import { EventLogLines } from './read-event-log.ts';

function open(maxLineBytes?: number): { lines: EventLogLines; log: EventLogReader } {
  const log = new EventLogReader({
    cluster: 'c',
    attribute: () => ({ project: UNATTRIBUTED, rule: 0 }),
    fallback: { application: 'file', attempt: '' },
  });
  return { lines: new EventLogLines(log, maxLineBytes), log };
}
const notes = (log: EventLogReader) => Object.fromEntries(log.notes);

test('a last line without a line end counts when it is whole', () => {
  const { lines, log } = open();
  lines.push(Buffer.from(applicationStart(100)));
  assert.equal(log.events, 0);
  lines.end();
  assert.equal(log.application?.application, 'app-1');
  assert.deepEqual(notes(log), {});
});

test('a last line that is cut is noted as truncated, not as unreadable', () => {
  const { lines, log } = open();
  lines.push(
    Buffer.from(`${applicationStart(100)}\n${line('SparkListenerJobStart').slice(0, 30)}`),
  );
  lines.end();
  assert.equal(log.events, 1);
  assert.deepEqual(notes(log), { truncated: 1 });
});

test('a log that is fed on after an end goes on', () => {
  const { lines, log } = open();
  lines.push(Buffer.from(`${applicationStart(100)}\n`));
  lines.end();
  lines.push(Buffer.from(`${line('SparkListenerJobEnd', { 'Completion Time': 150 })}\n`));
  assert.equal(log.lastEventAt, 150);
});

test('lines over the cap are noted once each', () => {
  const { lines, log } = open(50);
  const long = Buffer.alloc(30, 'x');
  for (let piece = 0; piece < 5; piece += 1) lines.push(long);
  lines.push(Buffer.from('\nshort\n'));
  lines.push(Buffer.alloc(100, 'y'));
  lines.push(Buffer.from('\n'));
  assert.deepEqual(notes(log), { 'line-too-long': 2, 'unreadable-line': 1 });
  assert.equal(lines.bytes, 5 * 30 + 7 + 101);
});

test('a file is foreign after a hundred lines without an event, never before', () => {
  const { lines } = open();
  lines.push(Buffer.from('text\n'.repeat(99)));
  assert.equal(lines.isForeign, false);
  lines.push(Buffer.from('text\n'));
  assert.equal(lines.isForeign, true);
});

test('one event makes it a log, however much else is in it', () => {
  const { lines } = open();
  lines.push(Buffer.from(`${line('SparkListenerLogStart')}\n${'text\n'.repeat(500)}`));
  assert.equal(lines.isForeign, false);
});

test('text that is no UTF-8 spoils its own line at most', () => {
  const { lines, log } = open();
  const broken = Buffer.from(applicationStart(100, { 'App Name': '??' }));
  broken.fill(0xff, broken.indexOf('??'), broken.indexOf('??') + 2);
  lines.push(Buffer.concat([Buffer.from([0xc3, 0x28, 0x0a]), broken, Buffer.from('\n')]));
  assert.equal(log.application?.name, '\ufffd\ufffd');
  assert.deepEqual(notes(log), { 'unreadable-line': 1 });
});
