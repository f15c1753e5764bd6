import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shardOf } from './shard-of.ts';

const ref = (n: number) => ({ cluster: 'yarn-1', application: `application_1795_${n}` });

test('an application has the shard it always had, since it is stored with its facts', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((n) => shardOf(ref(n), 16)),
    [7, 10, 1, 1],
  );
  assert.equal(shardOf(ref(3), 1), 0);
});

test('applications with numbers in a row are spread evenly, and clusters apart', () => {
  const counts = Array<number>(16).fill(0);
  for (let n = 0; n < 16_000; n += 1) {
    const shard = shardOf(ref(n), 16);
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  assert.ok(Math.min(...counts) > 850 && Math.max(...counts) < 1_150, `${counts}`);
  const clusters = Array.from({ length: 64 }, (_, n) =>
    shardOf({ cluster: `c${n}`, application: 'app-1' }, 16),
  );
  assert.ok(new Set(clusters).size > 12);
});

test('names that a store has to mend have the shard of the mended ones', () => {
  const lone = { cluster: 'c\ud800', application: '\udfff' };
  const mended = { cluster: 'c\ufffd', application: '\ufffd' };
  assert.equal(shardOf(lone, 16), shardOf(mended, 16));
});
