import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../test/support/any-text.ts';
import {
  decodeName,
  encodeName,
  encodeValue,
  lineKey,
  lineMeasurement,
  quoteName,
  quoteText,
} from './influx-name.ts';

const text = fc.oneof(
  anyText(),
  fc.string({ unit: fc.constantFrom(...'\\,= "\'%\n\r\t#_:aA0F') }),
  fc.constantFrom('time', '_field', '', '%_', '%41', 'a\\', '\ud800'),
);

test('every text comes back from its encoding, and different ones stay different', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.equal(decodeName(encodeValue(a)), a.toWellFormed());
      assert.equal(decodeName(encodeName(a)), a.toWellFormed());
      assert.equal(encodeName(a) === encodeName(b), a.toWellFormed() === b.toWellFormed());
    }),
  );
});

test('an encoded text has no sign that a line or a quotation could end with', () => {
  fc.assert(
    fc.property(text, (one) => {
      for (const encoded of [encodeName(one), encodeValue(one)]) {
        assert.notEqual(encoded, '');
        // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
        assert.doesNotMatch(encoded, /[\u0000-\u001f\\]/);
      }
      assert.doesNotMatch(encodeName(one), /^(time$|[_#])/);
    }),
  );
});

test('in a line every comma, blank and equals sign of a name follows a backslash', () => {
  assert.equal(lineKey('a b,c=d'), 'a\\ b\\,c\\=d');
  assert.equal(lineMeasurement('a b,c=d'), 'a\\ b\\,c=d');
  fc.assert(
    fc.property(text, (one) => {
      const bare = lineKey(encodeName(one)).replace(/\\[,= ]/g, '');
      assert.doesNotMatch(bare, /[,= \\]/);
    }),
  );
});

test('a quotation ends with its own last sign, whatever it holds', () => {
  assert.equal(quoteText("it's"), "'it\\'s'");
  assert.equal(quoteName('a"b\\c\n'), '"a\\"b\\\\c\\n"');
  fc.assert(
    fc.property(text, (one) => {
      for (const [quoted, sign] of [
        [quoteText(one), "'"],
        [quoteName(one), '"'],
      ] as const) {
        const inside = quoted.slice(1, -1).replace(/\\[\s\S]/g, '');
        assert.ok(quoted.startsWith(sign) && quoted.endsWith(sign) && !inside.includes(sign));
      }
    }),
  );
});
