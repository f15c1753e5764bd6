import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseByteSize } from './byte-size.ts';

test('sizes are read as Spark reads them, a bare number in the unit of its option', () => {
  const mib = 1024 * 1024;
  const cases: [string, 'b' | 'm', number | undefined][] = [
    ['1g', 'm', 1024 * mib],
    ['512m', 'm', 512 * mib],
    ['512MB', 'b', 512 * mib],
    ['2048', 'm', 2048 * mib],
    ['2048', 'b', 2048],
    ['2048b', 'm', 2048],
    ['64k', 'm', 65_536],
    [' 2t ', 'm', 2 * 1024 * 1024 * mib],
    ['1.5g', 'm', undefined],
    ['-1', 'm', undefined],
    ['9999999p', 'm', undefined],
    ['*********(redacted)', 'm', undefined],
    ['', 'm', undefined],
  ];
  for (const [text, unit, bytes] of cases) assert.equal(parseByteSize(text, unit), bytes, text);
  assert.equal(parseByteSize(undefined, 'm'), undefined);
});
