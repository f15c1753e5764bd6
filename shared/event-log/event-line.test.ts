import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { line, stageSubmitted, taskEnd, taskStart } from '../../test/support/event-log-lines.ts';
import { readEventLine } from './event-line.ts';
import { scanTaskLine } from './task-line.ts';

const read = (text: string, isLast = false) => readEventLine(Buffer.from(text), isLast);

const anyTask = fc.record({
  id: fc.nat(),
  executor: fc.oneof(
    fc.nat(99).map(String),
    fc.string({ minLength: 1 }),
    fc.constantFrom('driver', 'é', 'a"b', 'a\\', '"Killed":true,'),
  ),
  stage: fc.nat(1000),
  attempt: fc.nat(3),
  index: fc.nat(1000),
  launch: fc.nat(2 ** 40),
  finish: fc.nat(2 ** 40),
  reason: fc.constantFrom('Success', 'TaskKilled', 'FetchFailed', 'Resubmitted'),
  runMs: fc.nat(1e9),
});

test('scanning a task line and parsing it give the same', () => {
  fc.assert(
    fc.property(anyTask, (task) => {
      const text = taskEnd(task);
      const result = read(text);
      assert.equal(result.kind, 'task-end');
      const { Event, ...rest } = JSON.parse(text) as Record<string, unknown>;
      // Another order of keys can only be parsed.
      const parsed = read(JSON.stringify({ ...rest, Event }));
      assert.deepEqual(result, parsed);
    }),
  );
});

test('a successful task as Spark writes it needs no parsing, other ends do', () => {
  const scan = (text: string) => scanTaskLine(Buffer.from(text), 'end');
  assert.equal(scan(taskEnd({ id: 7, launch: 5, finish: 9, runMs: 3 }))?.runMs, 3);
  assert.equal(scan(taskEnd({ id: 7, partition: 4, launch: 5, finish: 9 }))?.partition, 4);
  assert.equal(scan(taskEnd({ id: 7, launch: 5, finish: 9, reason: 'TaskKilled' })), undefined);
  const start = scanTaskLine(Buffer.from(taskStart({ id: 7, launch: 5 })), 'start');
  assert.deepEqual([start?.taskId, start?.launch], [7, 5]);
});

test("a task's metrics quoted in a string are no metrics", () => {
  const text = taskEnd({ id: 1, launch: 5, finish: 9, runMs: 3 }).replace(
    '"Accumulables":[]',
    `"Accumulables":[{"Name":"x","Value":${JSON.stringify('"Task Metrics":{"Executor Run Time":99,')}}]`,
  );
  const result = read(text);
  assert.equal(result.kind === 'task-end' && result.task.runMs, 3);
});

test('events that nobody needs are known without parsing, and their time is found', () => {
  const plan = '"time":1,'.repeat(100);
  const sql = 'org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart';
  const cases: [string, string, number | undefined][] = [
    [line(sql, { physicalPlanDescription: plan, time: 42 }), 'SparkListenerSQLExecutionStart', 42],
    [
      line('SparkListenerStageCompleted', { 'Completion Time': 43 }),
      'SparkListenerStageCompleted',
      43,
    ],
    [line(sql, { metadata: { time: 7 }, time: 42 }), 'SparkListenerSQLExecutionStart', 42],
    [line('SomethingNew', { Timestamp: 44 }), 'SomethingNew', undefined],
    [
      line('org.apache.spark.sql.streaming.StreamingQueryListener$QueryIdleEvent', {
        timestamp: '1970-01-01T00:00:01.000Z',
      }),
      'QueryIdleEvent',
      1000,
    ],
  ];
  for (const [text, name, at] of cases) assert.deepEqual(read(text), { kind: 'other', name, at });
});

test('a submitted stage tells its tasks, whatever its name holds', () => {
  assert.deepEqual(read(stageSubmitted(7, 1, 200)), {
    kind: 'stage',
    stageId: 7,
    attempt: 1,
    tasks: 200,
    at: undefined,
  });
});

test('what is no event is unreadable', () => {
  for (const text of [
    'x',
    '{',
    '[]',
    '7',
    '"Event"',
    'null',
    '{"Event":7}',
    '{"event":"SparkListenerLogStart"}',
    '{"__proto__":{"Event":"SparkListenerLogStart"}}',
    '{"Event":"SparkListenerTaskEnd","Stage ID":0}',
    '{"Event":"SparkListenerJobEnd","Completion Time":4',
    '\u0000\u0001\ufffd',
  ]) {
    assert.equal(read(text).kind, 'unreadable', text);
  }
});

test('a last line counts only when it is whole', () => {
  const text = line('SparkListenerJobEnd', { 'Job Result': { Result: 'JobSucceeded' } });
  assert.equal(read(text, true).kind, 'event');
  for (let cut = 1; cut < text.length; cut += 1) {
    assert.equal(read(text.slice(0, cut), true).kind, 'unreadable', text.slice(0, cut));
  }
});

test('blanks and another order of keys change nothing but the speed', () => {
  const text = '{ "Timestamp" : 5, "Event" : "SparkListenerApplicationEnd" }';
  const result = read(text);
  assert.equal(result.kind === 'event' && result.name, 'SparkListenerApplicationEnd');
});

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isLast) => {
      readEventLine(Buffer.from(bytes), isLast);
      readEventLine(Buffer.concat([Buffer.from('{"Event":"SparkListenerTaskEnd"'), bytes]), isLast);
    }),
  );
});
