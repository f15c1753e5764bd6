import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Line, LineReader } from './line-reader.ts';

function readAll(text: Buffer, cuts: readonly number[], limit = 1_000): Line[] {
  const reader = new LineReader(limit);
  const lines: Line[] = [];
  const edges = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b)];
  for (const [i, from] of edges.entries()) {
    lines.push(...reader.push(text.subarray(from, edges[i + 1] ?? text.length), from));
  }
  lines.push(...reader.flush());
  return lines;
}

test('lines are the same wherever the bytes are cut, with the offsets they begin at', () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'é', '{', ' ', '😀', '\r'), maxLength: 8 });
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(200)), (texts, cuts) => {
      const bytes = Buffer.from(texts.join('\n'));
      const lines = readAll(bytes, cuts);
      assert.deepEqual(lines, readAll(bytes, []));
      const expected = texts.map((text) => text.replace(/\r$/, '')).filter((t) => t.trim() !== '');
      assert.deepEqual(
        lines.map(({ text }) => text),
        expected,
      );
      for (const { text, start } of lines) {
        assert.equal(bytes.subarray(start, start + Buffer.byteLength(text)).toString(), text);
      }
    }),
  );
});

test('of a line that never ends only its beginning is held', () => {
  const reader = new LineReader(10);
  for (let i = 0; i < 100; i += 1) reader.push(Buffer.alloc(1_000, 97), i * 1_000);
  assert.equal(reader.openSince, 0);
  assert.deepEqual(reader.push(Buffer.from('\nb\n'), 100_000), [
    { text: 'aaaaaaaaaa', start: 0, cut: true },
    { text: 'b', start: 100_001, cut: false },
  ]);
  assert.equal(reader.openSince, undefined);
});
