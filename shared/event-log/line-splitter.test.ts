import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineSplitter } from './line-splitter.ts';

function split(
  text: string | Buffer,
  cuts: readonly number[],
  max = 1000,
): { lines: string[]; rest: string | undefined; tooLong: number } {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line.toString()), max);
  const bytes = Buffer.from(text);
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  );
  for (let at = 1; at < edges.length; at += 1)
    splitter.push(bytes.subarray(edges[at - 1], edges[at]));
  const rest = splitter.takeRest()?.toString();
  return { lines, rest, tooLong: splitter.tooLong };
}

test('lines come out whole wherever the chunks are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('a', '"', 'é', '😀', ' ') }), { maxLength: 20 }),
      fc.array(fc.nat(500), { maxLength: 10 }),
      (lines, cuts) => {
        const filled = lines.filter((line) => line !== '');
        const result = split(`${lines.join('\n')}\n`, cuts);
        assert.deepEqual(result.lines, filled);
        assert.equal(result.rest, undefined);
      },
    ),
  );
});

test('the line end of Windows is no part of a line, and a last line without an end is a rest', () => {
  assert.deepEqual(split('a\r\nb\r\n\r\nc', [2]), { lines: ['a', 'b'], rest: 'c', tooLong: 0 });
});

test('a line over the cap is skipped and counted, the next one is read', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3000), { maxLength: 10 }), (cuts) => {
      const result = split(`before\n${'x'.repeat(2000)}\nafter\n`, cuts, 100);
      assert.deepEqual(result, { lines: ['before', 'after'], rest: undefined, tooLong: 1 });
    }),
  );
});

test('a chunk may be used again by the caller once it was pushed', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line.toString()));
  const chunk = Buffer.from('half');
  splitter.push(chunk);
  chunk.fill('x');
  splitter.push(Buffer.from(' line\n'));
  assert.deepEqual(lines, ['half line']);
});
