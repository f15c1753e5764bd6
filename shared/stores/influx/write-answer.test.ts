import assert from 'node:assert/strict';
import test from 'node:test';
import { sortWriteAnswer } from './write-answer.ts';

const kindOf = (status: number, text: string): string => {
  const answer = sortWriteAnswer(status, text);
  return 'reason' in answer ? `${answer.kind} ${answer.reason}` : answer.kind;
};

test('answers of InfluxDB 1.8 are told apart by their words', () => {
  const partial = (text: string): string => `{"error":"partial write: ${text}"}`;
  const cases: [number, string, string][] = [
    [
      400,
      partial("unable to parse 'e,h=b v=': missing field value dropped=0"),
      'refused malformed',
    ],
    [400, '{"error":"unable to parse \'m x=NaN\': invalid number"}', 'refused malformed'],
    [
      400,
      partial(
        'field type conflict: input field \\"v\\" is type string, already exists as type float',
      ),
      'refused type-conflict',
    ],
    [400, partial('points beyond retention policy dropped=1'), 'beyond-retention'],
    [400, partial('max-series-per-database limit exceeded: (1000000) dropped=3'), 'series-limit'],
    [400, '{"error":"database is required"}', 'misconfigured'],
    [401, '{"error":"authorization failed"}', 'misconfigured'],
    [403, '{"error":"\\"u\\" user is not authorized to write"}', 'misconfigured'],
    [404, '{"error":"database not found: \\"nodb\\""}', 'misconfigured'],
    [413, '{"error":"Request Entity Too Large"}', 'too-large'],
    [500, '{"error":"timeout"}', 'again'],
    [500, '{"error":"write /wal/_00001.wal: no space left on device"}', 'full'],
    // A name that a user chose must not hold back the points beside it.
    [
      400,
      partial("unable to parse 'no space left on device': missing fields"),
      'refused malformed',
    ],
    [500, '{"error":"retention policy not found: raw"}', 'misconfigured'],
    [503, '', 'again'],
    [429, '', 'again'],
  ];
  for (const [status, text, kind] of cases) assert.equal(kindOf(status, text), kind, text);
});

test('answers of InfluxDB 2.x are told apart by their words', () => {
  const said = (code: string, message: string): string => JSON.stringify({ code, message });
  const cases: [number, string, string][] = [
    [400, said('invalid', "unable to parse 'e,h=b v=': missing field value"), 'refused malformed'],
    [
      422,
      said(
        'unprocessable entity',
        'failure writing points to database: partial write: field type ' +
          'conflict: input field "v" on measurement "e2" is type string, already exists as type float',
      ),
      'refused type-conflict',
    ],
    [
      422,
      said(
        'unprocessable entity',
        'partial write: dropped 4 points outside retention policy of ' +
          'duration 48h0m0s - oldest point m at 1970-01-01T00:00:00Z dropped because it violates',
      ),
      'beyond-retention',
    ],
    [401, said('unauthorized', 'unauthorized access'), 'misconfigured'],
    [404, said('not found', 'bucket "tollgate/raw" not found'), 'misconfigured'],
    [500, said('internal error', 'unexpected error writing points to database: timeout'), 'again'],
    [503, said('unavailable', 'server is starting'), 'again'],
  ];
  for (const [status, text, kind] of cases) assert.equal(kindOf(status, text), kind, text);
});

test('how many lines were too old is read where it is said', () => {
  const of = (text: string) => sortWriteAnswer(400, text);
  assert.deepEqual(of('partial write: points beyond retention policy dropped=17'), {
    kind: 'beyond-retention',
    dropped: 17,
  });
  assert.deepEqual(of('partial write: dropped 4 points outside retention policy of 48h'), {
    kind: 'beyond-retention',
    dropped: 4,
  });
  assert.deepEqual(of('points beyond retention policy'), {
    kind: 'beyond-retention',
    dropped: undefined,
  });
});
