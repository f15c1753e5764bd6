const LOOK_BYTES = 1_024;

/**
 * True when a file that begins so is no text in any encoding logs come in: a NUL (which only UTF-16
 * has, behind its mark), or mostly control characters.
 */
export function isBinary(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, LOOK_BYTES);
  const [first, second] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return false;
  let control = 0;
  for (const byte of head) {
    if (byte === 0) return true;
    const blank = byte === 9 || byte === 10 || byte === 13 || byte === 27;
    if (byte < 32 && !blank) control += 1;
  }
  return control * 10 > head.length;
}
