const ESC = String.fromCharCode(27);
/** Terminal colours, cursor moves and titles. Source: ECMA-48 sections 5.4 and 5.6. */
const ANSI = new RegExp(
  String.raw`${ESC}(?:\[[0-9;:?]{0,40}[ -/]{0,4}[@-~]|\][^\p{Cc}]{0,500}(?:\u0007|${ESC}\\)|[@-Z\\^_])`,
  'gu',
);
/** Control characters but tab and newline, and what reorders or hides text on a page. */
const CONTROL = /(?![\t\n])[\p{Cc}\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** True when a text may need `cleanText`: anything beyond printable ASCII, tab and newline. */
export function isOdd(text: string): boolean {
  return /[^\t\n\u0020-\u007e]/.test(text);
}

/** The text without control characters and terminal sequences; carriage returns are line ends. */
export function cleanText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(ANSI, '').replace(CONTROL, '').toWellFormed();
}
