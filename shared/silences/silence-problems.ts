import type { LabelMatcher, Silence } from '../stores/silence-store.ts';
import { DAY_MS, formatInstant, type Instant } from '../values/instant.ts';
import { compileMatchers, matcherProblem, printMatcher } from './label-matcher.ts';

const DAYS_MAX = 90;
const MATCHERS_MAX = 50;
const COMMENT_MAX = 2_000;
const AUTHOR_MAX = 200;

/** Texts that nobody means: what matches all but the empty one matches everything. */
const PROBES = ['q', '0', 'Zk8-probe_41', 'żółć 7#\n', 'x'.repeat(100)];

/** Whether it leaves anything out: `=` with a value, or a pattern that isn't for everything. */
function narrows(matcher: LabelMatcher): boolean {
  const { name, value, isRegex, isEqual } = matcher;
  if (!isEqual) return false;
  if (!isRegex) return value !== '';
  const matches = compileMatchers([matcher]);
  return !matches({}) && !PROBES.every((probe) => matches({ [name]: probe }));
}

function matchersProblems(matchers: readonly LabelMatcher[]): string[] {
  if (matchers.length > MATCHERS_MAX) return [`it has more than ${MATCHERS_MAX} matchers`];
  const wrong = matchers.flatMap((matcher) => {
    const problem = matcherProblem(matcher);
    return problem === undefined ? [] : [`matcher ${printMatcher(matcher)} ${problem}`];
  });
  if (wrong.length > 0 || matchers.some(narrows)) return wrong;
  return ['its matchers leave nothing out: give one such as alertname="ClusterIdle"'];
}

/** What is wrong with a new silence, all at once; none when it may be made. */
export function silenceProblems(silence: Silence, now: Instant): string[] {
  const { author, comment, startsAt, endsAt } = silence;
  const problems = matchersProblems(silence.matchers);
  if (author.trim() === '') problems.push('it has no author');
  if (comment.trim() === '') problems.push('it has no comment: say why');
  if (author.length > AUTHOR_MAX)
    problems.push(`its author is longer than ${AUTHOR_MAX} characters`);
  if (comment.length > COMMENT_MAX) {
    problems.push(`its comment is longer than ${COMMENT_MAX} characters`);
  }
  if (endsAt <= startsAt) problems.push('endsAt must be after startsAt');
  if (endsAt <= now)
    problems.push(`endsAt must be after now, and ${formatInstant(endsAt)} is past`);
  if (endsAt - Math.max(startsAt, now) > DAYS_MAX * DAY_MS) {
    problems.push(`it lasts longer than ${DAYS_MAX} days, the longest there may be`);
  }
  return problems;
}
