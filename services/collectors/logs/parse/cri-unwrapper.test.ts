import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CriUnwrapper, isCri } from './cri-unwrapper.ts';

const wrap = (text: string, flag = 'F'): string =>
  `2026-11-21T07:00:00.123456789Z stderr ${flag} ${text}\n`;

test('the runtime prefix is recognised, other lines are not', () => {
  assert.ok(isCri(Buffer.from(wrap('x'))));
  assert.ok(isCri(Buffer.from('2026-11-21T07:00:00+01:00 stdout F \n')));
  for (const text of [
    '26/11/21 07:00:00 INFO A: x',
    '2026-11-21T07:00:00Z INFO A: x',
    '',
    '{"a":1}',
  ]) {
    assert.equal(isCri(Buffer.from(text)), false, text);
  }
});

test('prefixes go, parts of a line are joined, foreign lines pass', () => {
  const raw = `${wrap('26/11/21 07:00:00 INFO A: x')}${wrap('\tat y')}${wrap('long ', 'P')}${wrap('line')}${wrap('')}foreign\n`;
  assert.equal(
    new CriUnwrapper(0).push(Buffer.from(raw)).toString(),
    '26/11/21 07:00:00 INFO A: x\n\tat y\nlong line\n\nforeign\n',
  );
});

test('any cuts of the bytes give the same text, and line starts lead back to the file', () => {
  const flag = fc.constantFrom('F', 'F', 'P');
  const line = fc.tuple(fc.stringMatching(/^[a-z ]{0,12}$/), flag);
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (lines, at) => {
        const raw = Buffer.from(lines.map(([text, sign]) => wrap(text, sign)).join(''));
        const ends = [...at.map((n) => n % (raw.length + 1)), raw.length].sort((a, b) => a - b);
        const unwrapper = new CriUnwrapper(0);
        const text = Buffer.concat(
          ends.map((end, i) => unwrapper.push(raw.subarray(ends[i - 1] ?? 0, end))),
        );
        assert.deepEqual(text, new CriUnwrapper(0).push(raw));
        // Reading on from the place that a line start stands for gives the text from there.
        for (let start = text.indexOf('\n') + 1; start > 0; start = text.indexOf('\n', start) + 1) {
          const from = unwrapper.rawOffset(start);
          const rest = new CriUnwrapper(from).push(raw.subarray(from));
          assert.deepEqual(rest, text.subarray(start));
        }
      },
    ),
  );
});

test('a line longer than a runtime writes passes in pieces', () => {
  const unwrapper = new CriUnwrapper(0);
  let length = unwrapper.push(Buffer.from(wrap('').slice(0, -1))).length;
  for (let i = 0; i < 8; i += 1) length += unwrapper.push(Buffer.alloc(1 << 20, 'x')).length;
  assert.ok(length >= 7 << 20);
});
