import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskException } from './mask-exception.ts';

test('secrets of the usual shapes are masked, the rest stays', () => {
  const cases: [string, string][] = [
    [
      'jdbc:postgresql://bob:hunter2@db:5432/x failed',
      'jdbc:postgresql://bob:***@db:5432/x failed',
    ],
    ['password=hunter2, user=bob', 'password=***, user=bob'],
    ['{"secretKey": 1, "secret": "s3cr3t"}', '{"secretKey": 1, "secret": "***"}'],
    ['fs.s3a.access.key = AKIAIOSFODNN7EXAMPLE;', 'fs.s3a.access.key = ***;'],
    ['Authorization: Bearer abc.def-ghi_jkl', 'Authorization: Bearer ***'],
    ['no secret: key not found: 17', 'no secret: *** not found: 17'],
    ['Task 1 in stage 23.0 failed', 'Task 1 in stage 23.0 failed'],
  ];
  for (const [text, expected] of cases) assert.equal(maskException(text), expected);
});

test('a stack stands in one line, without control characters, and is cut', () => {
  assert.equal(maskException('Boom\n\tat a.b(C.java:1)\u001b[0m'), 'Boom | at a.b(C.java:1) [0m');
  assert.equal(maskException('x'.repeat(100_000)).length, 2_000);
});

test('hostile text takes no longer than its length', () => {
  for (const unit of ['://a:', 'password=', 'Bearer ', 'token ', 'AKIA']) {
    assert.ok(maskException(unit.repeat(100_000)).length <= 4_000);
  }
});
