import type { LabelMatcher, Silence } from '../../../shared/stores/silence-store.ts';
import { formatInstant, type Instant } from '../../../shared/values/instant.ts';
import { isProjectId, type ProjectId } from '../../../shared/values/project-id.ts';
import { compileMatchers, matcherProblem, printMatcher } from './label-matcher.ts';

const MATCHERS_MAX = 50;
const COMMENT_MAX = 2_000;
const AUTHOR_MAX = 200;

/** Texts that nobody means: what matches all of them matches everything. */
const PROBES = ['', 'q', '0', 'Zk8-probe_41', 'żółć 7#', 'x'.repeat(100)];

/** Whether it leaves anything out: `=` with a value, or a pattern that isn't for everything. */
function narrows(matcher: LabelMatcher): boolean {
  const { name, value, isRegex, isEqual } = matcher;
  if (!isEqual) return false;
  if (!isRegex) return value !== '';
  const matches = compileMatchers([matcher]);
  return PROBES.every((probe) => !matches({ [name]: probe }));
}

/** The one project that it can mute; undefined where it may be several. */
export function projectOf(matchers: readonly LabelMatcher[]): ProjectId | undefined {
  const exact = matchers.find(
    ({ name, isRegex, isEqual }) => name === 'project' && isEqual && !isRegex,
  );
  return exact !== undefined && isProjectId(exact.value) ? exact.value : undefined;
}

export interface SilenceRules {
  readonly now: Instant;
  readonly maxMs: number;
  /** The author may mute more than one project: scope `platform`. */
  readonly platform: boolean;
  /** Names of the receivers there are. */
  readonly receivers: readonly string[];
}

function matcherProblems(matchers: readonly LabelMatcher[], { platform }: SilenceRules): string[] {
  const wrong = matchers.flatMap((matcher) => {
    const problem = matcherProblem(matcher);
    return problem === undefined ? [] : [`matcher ${printMatcher(matcher)} ${problem}`];
  });
  if (wrong.length > 0) return wrong;
  if (matchers.length > MATCHERS_MAX) return [`it has more than ${MATCHERS_MAX} matchers`];
  const problems: string[] = [];
  if (!matchers.some(narrows)) {
    problems.push('it would mute everything: give a matcher such as alertname="…"');
  }
  if (!platform && projectOf(matchers) === undefined) {
    problems.push(
      'it may mute more than one project: add project="…", or ask for it with scope platform',
    );
  }
  return problems;
}

/** What is wrong with a new silence, all at once; none when it may be made. */
export function silenceProblems(silence: Silence, rules: SilenceRules): string[] {
  const { author, comment, startsAt, endsAt, receiver } = silence;
  const problems = matcherProblems(silence.matchers, rules);
  if (author.trim() === '') problems.push('it has no author');
  if (comment.trim() === '') problems.push('it has no comment: say why');
  if (author.length > AUTHOR_MAX || comment.length > COMMENT_MAX) {
    problems.push(`its author or comment is longer than ${AUTHOR_MAX} or ${COMMENT_MAX}`);
  }
  if (!(endsAt > startsAt)) problems.push('it ends before it starts');
  if (endsAt <= rules.now) problems.push(`it ended at ${formatInstant(endsAt)}, which is past`);
  if (endsAt - Math.max(startsAt, rules.now) > rules.maxMs) {
    problems.push(
      `it lasts longer than ${rules.maxMs / 86_400_000} days, the longest there may be`,
    );
  }
  if (receiver !== undefined && !rules.receivers.includes(receiver)) {
    problems.push(`there is no receiver ${receiver} to tell before it ends`);
  }
  if (silence.project !== projectOf(silence.matchers)) {
    problems.push('its project is not the one that its matchers name');
  }
  return problems;
}
