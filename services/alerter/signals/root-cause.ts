import { oneLine } from './one-line.ts';

const CAUSED_BY = /^\s*Caused by: /;
/** `java.io.IOException: …`, `ValueError: …`, `pyspark.errors.exceptions.…Exception: …` */
const THROWN = /^[\w$.]{0,300}(?:Error|Exception|Failure|Interrupt)(?::|$)/;

function causeIn(message: string): string | undefined {
  const lines = message.slice(0, 65_536).split('\n');
  const caused = lines.findLast((line) => CAUSED_BY.test(line));
  if (caused !== undefined) return caused.replace(CAUSED_BY, '');
  // Of a Python traceback the last line tells; of a Java one without causes the first that throws.
  const isPython = lines.some((line) => line.startsWith('Traceback (most recent call last)'));
  const thrown = (line: string): boolean => THROWN.test(line.trim());
  return (isPython ? lines.findLast(thrown) : lines.find(thrown))?.trim();
}

/**
 * The line that says why: the deepest cause of the newest error that has one, else the reason that
 * was told, else the newest error itself.
 *
 * @param errors messages, newest first
 */
export function rootCause(errors: readonly string[], reason: string): string {
  for (const message of errors) {
    const cause = causeIn(message);
    if (cause !== undefined) return oneLine(cause);
  }
  const told = causeIn(reason) ?? reason;
  return oneLine(told === '' ? (errors[0] ?? '') : told);
}
