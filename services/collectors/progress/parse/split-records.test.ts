import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sharedDataFile } from '../../../../test/support/shared-data.ts';
import { parseRecord } from './parse-record.ts';
import { progressFromLog } from './progress-from-log.ts';
import { splitRecords } from './split-records.ts';

function split(text: string): [number, string][] {
  return [...splitRecords(text)].map((record) => [record.line, record.text]);
}

test('a line is a record, with its number; blank lines are none', () => {
  assert.deepEqual(split('{"a":1}\r\n\n  \n{"b":2}'), [
    [1, '{"a":1}'],
    [4, '{"b":2}'],
  ]);
  assert.deepEqual(split(''), []);
});

test('a pretty-printed object is one record between others', () => {
  const pretty = JSON.stringify({ a: { b: [1, { c: '}' }] } }, null, 2);
  assert.deepEqual(split(`{"x":1}\n${pretty}\n{"y":2}\n`), [
    [1, '{"x":1}'],
    [2, pretty],
    [pretty.split('\n').length + 2, '{"y":2}'],
  ]);
});

test('a broken line spoils itself alone', () => {
  assert.deepEqual(split('{"a":{\n{"b":2}\n{\n  "c": 3,\n{"d":4}\n'), [
    [1, '{"a":{'],
    [2, '{"b":2}'],
    [3, '{\n  "c": 3,'],
    [5, '{"d":4}'],
  ]);
});

test("a driver's log has the progress that its listener saw", () => {
  const log = readFileSync(sharedDataFile('spark4/driver-4.1.2-pattern-layout.log'), 'utf8');
  const listener = readFileSync(sharedDataFile('spark4/listener-4.1.2-standalone.jsonl'), 'utf8');
  const context = { application: '', receivedAt: Date.parse('2026-11-22T00:00:00Z') };
  const own = new Map<string, unknown>();
  for (const line of listener.trim().split('\n')) {
    const fate = parseRecord(line, context);
    assert.ok(fate.fate === 'kept');
    const { record } = fate.record;
    if (record.kind === 'progress') own.set(`${record.run} ${record.start}`, record);
  }
  let found = 0;
  for (const { text } of splitRecords(log)) {
    if (!text.includes('made progress: {')) continue;
    const fate = parseRecord(text, context);
    assert.ok(fate.fate === 'kept', text);
    const { record } = fate.record;
    assert.ok(record.kind === 'progress');
    assert.deepEqual(record, own.get(`${record.run} ${record.start}`));
    found += 1;
  }
  assert.equal(found, log.split('made progress: {').length - 1);
  assert.ok(found > 0);
});

test('progress in a message ends at its balanced brace, whatever strings hold', () => {
  const json = '{"name":"a } \\" { b","x":{"y":1}}';
  assert.equal(progressFromLog(`Streaming query made progress: ${json} and more }`), json);
  assert.equal(progressFromLog('Streaming query made progress: {"cut":{"x":1}'), undefined);
  assert.equal(progressFromLog('Streaming query has been idle'), undefined);
});
