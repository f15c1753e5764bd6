const OTHER = 0;
const LETTER = 1;
const DIGIT = 2;
const JOINER = 3;
const SLASH = 4;
const QUOTE = 5;

const CLASSES = new Uint8Array(128);
for (let code = 0; code < 128; code += 1) {
  const sign = String.fromCharCode(code);
  if (/[a-zA-Z]/.test(sign)) CLASSES[code] = LETTER;
  else if (/[0-9]/.test(sign)) CLASSES[code] = DIGIT;
  else if (/[-_.:@$%+~*]/.test(sign)) CLASSES[code] = JOINER;
  else if (/[/\\]/.test(sign)) CLASSES[code] = SLASH;
  else if (/["'`]/.test(sign)) CLASSES[code] = QUOTE;
}

/** Templates differ early; what follows is mostly data. */
const MAX_CHARS = 1_000;
const MAX_QUOTED = 300;
const PRIME = 0x01000193;

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

function classOf(code: number): number {
  return code < 128 ? (CLASSES[code] ?? OTHER) : LETTER;
}

/**
 * Hash of a message's template: the first line with every word that holds a digit (numbers, hex,
 * UUIDs, ids, addresses), every path and every quoted text replaced by a mark; lists of marks count
 * as one. Two FNV-1a hashes of 32 bits in one pass, as 16 hex digits: it tells templates apart, and
 * is no defence against somebody who wants two to collide.
 */
export function fingerprint(message: string): string {
  const newline = message.indexOf('\n');
  const end = Math.min(newline === -1 ? message.length : newline, MAX_CHARS);
  let a = 0x811c9dc5;
  let b = 0x2f0b4c47;
  let lastMarkEnd = -1;
  let at = 0;
  while (at < end) {
    const code = message.charCodeAt(at);
    const kind = classOf(code);
    if (kind === OTHER) {
      // A list of marks, such as `1, 2, 3`, counts as one.
      if (at !== lastMarkEnd || (code !== 44 && code !== 32)) {
        a = Math.imul(a ^ code, PRIME);
        b = Math.imul(b ^ code, PRIME) + 1;
      } else lastMarkEnd += 1;
      at += 1;
      continue;
    }
    let mark = 0;
    let next = at + 1;
    const listed = lastMarkEnd === at;
    if (kind === QUOTE) {
      const close = message.indexOf(message[at] ?? '', next);
      if (close !== -1 && close < end && close - at <= MAX_QUOTED) {
        mark = QUOTE;
        next = close + 1;
      }
    } else {
      let wordA = a;
      let wordB = b;
      let i = at;
      for (; i < end; i += 1) {
        const sign = message.charCodeAt(i);
        const signKind = classOf(sign);
        if (signKind === OTHER || (signKind === QUOTE && sign !== 39)) break;
        if (signKind === DIGIT || signKind === SLASH) mark = Math.max(mark, signKind);
        wordA = Math.imul(wordA ^ sign, PRIME);
        wordB = Math.imul(wordB ^ sign, PRIME) + 1;
      }
      next = i;
      if (mark === 0) {
        a = wordA;
        b = wordB;
      }
    }
    if (mark !== 0) {
      if (!listed) {
        a = Math.imul(a ^ mark, PRIME);
        b = Math.imul(b ^ mark, PRIME) + 1;
      }
      lastMarkEnd = next;
    }
    at = next;
  }
  return hex(a) + hex(b);
}
