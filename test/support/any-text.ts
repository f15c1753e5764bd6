import fc from 'fast-check';

const SURROGATES = 0x800;
const FIRST_SURROGATE = 0xd800;

/** Any code point but a half of a surrogate pair; small ones, and so ASCII, more often. */
const codePoint = fc.integer({ min: 0, max: 0x10ffff - SURROGATES }).map(
  (n) => String.fromCodePoint(n < FIRST_SURROGATE ? n : n + SURROGATES),
  (text) => {
    const n = typeof text === 'string' ? (text.codePointAt(0) ?? -1) : -1;
    if (n < 0 || String.fromCodePoint(n) !== text) throw new Error('it is no code point');
    return n < FIRST_SURROGATE ? n : n - SURROGATES;
  },
);

/** As fast-check's own `unit: 'binary'`, which takes more than a second to make its tables. */
export function anyText(options: { readonly maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.string({ ...options, unit: codePoint });
}
