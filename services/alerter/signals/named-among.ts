import { SignalFailure } from './signal-failure.ts';

/**
 * Those that a rule names, or all there are.
 *
 * @throws SignalFailure naming all that aren't there
 */
export function namedAmong(
  what: string,
  wanted: readonly string[] | undefined,
  there: readonly string[],
): readonly string[] {
  const strangers = wanted?.filter((name) => !there.includes(name)) ?? [];
  if (strangers.length > 0) {
    throw new SignalFailure(
      `the rule names ${what} that are not configured: ${strangers.join(', ')}; correct "${what}"`,
    );
  }
  return wanted ?? there;
}
