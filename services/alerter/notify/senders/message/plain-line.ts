/**
 * What text from tenants may not carry into a message: control characters, direction marks that
 * show a text in another order than it is written, invisible tags, byte order marks.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
  /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** CR, LF, tabs, form feeds, next line, line and paragraph separators. */
const BREAKS = /[\s\u0085\u2028\u2029]+/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours and cursor moves of terminals.
const TERMINAL = /\u001b\[[0-9;?]*[A-Za-z]/g;

const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** At most `max` characters (code points), the last of them `…` where something was cut off. */
export function clip(text: string, max: number): string {
  // A code point has at most two units: nothing to count in most texts.
  if (text.length <= max) return text;
  const points = Array.from(text.slice(0, 2 * max + 2));
  return points.length <= max ? text : `${points.slice(0, max - 1).join('')}…`;
}

/**
 * Text from tenants as one line, safe in any medium that escapes its own markup. Text that runs from
 * right to left is isolated (Unicode 6.3, FSI and PDI), so that it can't reorder what stands beside it.
 */
export function plainLine(text: string, max: number): string {
  // Cut before the expressions run: a megabyte in a label costs no more than what is shown of it.
  const start = text.slice(0, 4 * max + 64).toWellFormed();
  const line = start.replace(TERMINAL, '').replace(BREAKS, ' ').replace(UNSAFE, '').trim();
  const clipped = clip(start.length < text.length ? `${line}…` : line, max);
  return RIGHT_TO_LEFT.test(clipped) ? `\u2068${clipped}\u2069` : clipped;
}
