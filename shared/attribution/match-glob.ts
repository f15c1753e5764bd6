/**
 * Whether all of `text` fits the pattern: `*` stands for any run of characters, `?` for one, all
 * others for themselves. Takes at most pattern × text steps, whatever a tenant puts into either.
 */
export function matchGlob(pattern: string, text: string): boolean {
  let at = 0;
  let inText = 0;
  let star = -1;
  let starText = 0;
  while (inText < text.length) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at;
      starText = inText;
      at += 1;
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[inText])) {
      at += 1;
      inText += 1;
    } else if (star >= 0) {
      // The last star takes one character more.
      starText += 1;
      inText = starText;
      at = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
