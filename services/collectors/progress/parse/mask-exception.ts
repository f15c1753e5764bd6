import { cleanText } from './json-field.ts';

const LENGTH = 2_000;

/**
 * An exception's text, cut, with the usual shapes of secrets masked. Every pattern is linear: no
 * repetition holds another one.
 */
export function maskException(text: string): string {
  return cleanText(text.slice(0, LENGTH).replaceAll('\n\tat ', ' | at '), LENGTH)
    .replace(/(:\/\/[^\s/@:]{1,100}):[^\s/@]{1,200}@/g, '$1:***@')
    .replace(
      /((?:password|passwd|pwd|secret|token|credential|access[._-]?key|api[._-]?key)["']?\s{0,3}[=:]\s{0,3}["']?)[^\s"',;&)]{1,500}/gi,
      '$1***',
    )
    .replace(/\b(Bearer|Basic) [\w.~+/=-]{8,1000}/g, '$1 ***')
    .replace(/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, '***');
}
