import assert from 'node:assert/strict';
import test from 'node:test';
import { kafkaLag } from './kafka-lag.ts';

test('the lag is what is there and not committed', () => {
  const ends = [
    { partition: 1, high: '100', low: '0' },
    { partition: 0, high: '50', low: '20' },
    { partition: 2, high: '9007199254740995', low: '9007199254740990' },
    { partition: 3, high: '7', low: '7' },
    { partition: 4, high: '30', low: '10' },
    { partition: 5, high: '30', low: '10' },
  ];
  const committed = [
    { partition: 0, offset: '50' },
    { partition: 1, offset: '60' },
    { partition: 2, offset: '9007199254740993' },
    { partition: 3, offset: '-1' },
    // Older than what is left, never committed, and ahead of a topic that was made anew.
    { partition: 4, offset: '5' },
    { partition: 6, offset: '99' },
  ];
  const lag = Object.fromEntries(kafkaLag(ends, committed).map((p) => [p.partition, p.records]));
  assert.deepEqual(lag, { 0: 0, 1: 40, 2: 2, 3: 0, 4: 20, 5: 20 });
  assert.deepEqual(
    kafkaLag([{ partition: 0, high: '3', low: '0' }], [{ partition: 0, offset: '9' }]),
    [{ partition: 0, records: 0 }],
  );
});
