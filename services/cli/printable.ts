// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal.
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text from tenants as a terminal may show it: control, escape and direction characters are written
 * as `\u001b`, so that a log line can neither move the cursor nor hide a part of itself.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
