import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonObject, readJsonRecord } from './json-record.ts';
import { LocalTime } from './local-time.ts';
import { TimeReader } from './time-reader.ts';

const AT = Date.UTC(2026, 10, 21, 7, 0, 0, 123);

function read(json: object | string) {
  const object = parseJsonObject(typeof json === 'string' ? json : JSON.stringify(json));
  assert.ok(object !== undefined);
  return readJsonRecord(object, new TimeReader(new LocalTime('Europe/Berlin')));
}

test('the layouts that log frameworks have are all understood', () => {
  const iso = '2026-11-21T07:00:00.123Z';
  for (const [json, logger, thread, message] of [
    [
      { ts: iso, level: 'INFO', msg: 'm', context: { app_id: 'a' }, logger: 'SparkContext' },
      'SparkContext',
      '',
      'm',
    ],
    [
      { ts: '2026-11-21 08:00:00.123', level: 'INFO', logger: 'py', msg: 'm', context: {} },
      'py',
      '',
      'm',
    ],
    [
      {
        '@timestamp': iso,
        'log.level': 'INFO',
        message: 'm',
        'process.thread.name': 't',
        'log.logger': 'l',
      },
      'l',
      't',
      'm',
    ],
    [
      {
        '@timestamp': iso,
        log: { level: 'info', logger: 'l' },
        process: { thread: { name: 't' } },
        message: 'm',
      },
      'l',
      't',
      'm',
    ],
    [
      {
        '@timestamp': iso,
        '@version': 1,
        level: 'INFO',
        logger_name: 'l',
        thread_name: 't',
        message: 'm',
      },
      'l',
      't',
      'm',
    ],
    [
      {
        version: '1.1',
        short_message: 'm',
        timestamp: AT / 1_000,
        level: 6,
        _logger: 'l',
        _thread: 't',
      },
      'l',
      't',
      'm',
    ],
    [
      {
        instant: { epochSecond: Math.floor(AT / 1_000), nanoOfSecond: 123e6 },
        level: 'INFO',
        loggerName: 'l',
        thread: 't',
        message: 'm',
      },
      'l',
      't',
      'm',
    ],
    [{ timeMillis: AT, level: 'INFO', loggerName: 'l', thread: 't', message: 'm' }, 'l', 't', 'm'],
    [
      { timestamp: iso, level: 'INFO', logger_name: 'l', thread_name: 't', message: 'm', app: 'x' },
      'l',
      't',
      'm',
    ],
    [{ time: String(AT), levelname: 'INFO', name: 'l', message: 'm' }, 'l', '', 'm'],
  ] as const) {
    const record = read(json);
    assert.deepEqual(
      [record?.at, record?.level, record?.logger, record?.thread, record?.message],
      [AT, 'INFO', logger, thread, message],
    );
  }
});

test('exceptions become the message lines that a text layout prints', () => {
  const spark = read({
    msg: 'm',
    exception: {
      class: 'a.E',
      msg: 'x',
      stacktrace: [{ class: 'a.B', method: 'c', file: 'B.scala', line: 7 }],
    },
  });
  assert.equal(spark?.message, 'm\na.E: x\n\tat a.B.c(B.scala:7)');
  const ecs = read({ message: 'm', 'error.type': 'a.E', 'error.stack_trace': 'a.E: x\n\tat y' });
  assert.equal(ecs?.message, 'm\na.E: x\n\tat y');
  const logstash = read({
    message: 'm',
    exception: { exception_class: 'a.E', exception_message: 'x', stacktrace: 'a.E: x\n\tat y' },
  });
  assert.equal(logstash?.message, 'm\na.E: x\n\tat y');
  const log4j = read({
    message: 'm',
    thrown: { name: 'a.E', message: 'x', cause: { name: 'b.F', message: 'y' } },
  });
  assert.equal(log4j?.message, 'm\na.E: x\nCaused by: b.F: y');
});

test('identity and place are taken from the record', () => {
  const record = read({
    msg: 'm',
    id: 'i',
    project: 'P',
    cluster: 'c',
    application: 'a',
    container: '7',
  });
  assert.deepEqual(
    [record?.id, record?.project, record?.cluster, record?.application, record?.container],
    ['i', 'P', 'c', 'a', '7'],
  );
});

test('an empty project is none, and a printed trace ends where its text ends', () => {
  const record = read({ msg: 'm', project: '', exception: 'a.E: x\n\tat y\n' });
  assert.equal(record?.project, undefined);
  assert.equal(record?.message, 'm\na.E: x\n\tat y');
});

test("Spark's context is what a message is about, not where it was written", () => {
  const record = read({ msg: 'm', context: { app_id: 'a', executor_id: 3 } });
  assert.deepEqual([record?.application, record?.container], ['', '']);
  assert.deepEqual(record?.about, { application: 'a', container: '3' });
});

test('hostile objects are read as data', () => {
  assert.equal(read('{"__proto__":{"msg":"no"}}'), undefined);
  assert.equal(read('{"msg":"m","constructor":{"name":"x"},"toString":1}')?.message, 'm');
  assert.equal(read('{"msg":{"a":1},"message":{"deep":[1]}}')?.message, '{"deep":[1]}');
  assert.equal(read('{"msg":"m","ts":1e400}')?.at, undefined);
  assert.equal(read('{"msg":"m","ts":99999999999999999999}')?.at, 1e14);
  let cause = '{"name":"E"}';
  for (let i = 0; i < 1_000; i += 1) cause = `{"name":"E","cause":${cause}}`;
  assert.ok((read(`{"message":"m","thrown":${cause}}`)?.message.length ?? 0) < 1_000);
});

test('what is no object is none', () => {
  for (const line of ['', '[]', 'null', '1', '{"a":', 'text'])
    assert.equal(parseJsonObject(line), undefined);
});
