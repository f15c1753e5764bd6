import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseQueueSource, printQueueSource } from './queue.ts';

test('what held for a message is read back from the quarantine', () => {
  const name = fc.string({ minLength: 1 });
  fc.assert(
    fc.property(name, name, (cluster, format) => {
      const origin = 'kafka:logs/3#17';
      const source = printQueueSource(origin, { cluster, format });
      assert.deepEqual(parseQueueSource(source), { origin, cluster, format });
    }),
  );
});

test('what was pushed or read from a file came from no queue', () => {
  for (const source of ['http:main', '/logs/a?cluster=b', 'main', 'kafka:cluster']) {
    assert.equal(parseQueueSource(source), undefined);
  }
});
