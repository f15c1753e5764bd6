const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;

/** Untrusted text as one line of plain characters, cut to size: for annotations. */
export function oneLine(text: string, max = 300): string {
  const line = text
    .slice(0, max * 4)
    .replace(CONTROL, ' ')
    .trim();
  return line.length <= max ? line : `${line.slice(0, max - 1).toWellFormed()}…`;
}
