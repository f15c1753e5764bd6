import type { Policy } from '../notify/policy.ts';
import type { Digest, Rule } from '../rules/rule.ts';
import { alertDifferences } from './alert-differences.ts';
import { NOTICE_ROUND_MS, NoticeTimeline } from './notice-timeline.ts';
import { notificationDifferences } from './notification-differences.ts';
import type { RuleTest } from './rule-test-config.ts';
import { RuleTimeline } from './rule-timeline.ts';
import { scriptedReading } from './scripted-reading.ts';

/** Most evaluations of one test: some seconds of work. */
const EVALUATIONS_MAX = 200_000;

export interface Failure {
  /** Since the start of the test; undefined for the test as a whole. */
  readonly timeMs: number | undefined;
  readonly message: string;
}

/** Names that a test has and no rule does: such an input would say nothing, in silence. */
function strangers({ input, at }: RuleTest, rules: ReadonlyMap<string, Rule>): Failure[] {
  const said = [...input.signals, ...input.faults].map(({ rule }) => rule);
  const expected = at.flatMap(({ alerts }) => alerts.map(({ alert }) => alert));
  return [...new Set([...said, ...expected])]
    .filter((name) => !rules.has(name))
    .map((name) => ({ timeMs: undefined, message: `no rule is called ${name}` }));
}

export interface RuleTestWorld {
  readonly rules: ReadonlyMap<string, Rule>;
  /** Undefined: nobody is told. */
  readonly policy: Policy | undefined;
  readonly digest: Digest;
}

/** Plays a test in virtual time. */
export function runRuleTest(test: RuleTest, { rules, policy, digest }: RuleTestWorld): Failure[] {
  const unknown = strangers(test, rules);
  if (unknown.length > 0) return unknown;
  const moments = test.at.toSorted((a, b) => a.time - b.time);
  const last = moments.at(-1)?.time ?? 0;
  const rounds = policy === undefined ? 0 : last / NOTICE_ROUND_MS;
  const evaluations = [...rules.values()].reduce(
    (sum, { everyMs }) => sum + last / everyMs,
    rounds,
  );
  if (evaluations > EVALUATIONS_MAX) {
    const message = `it takes ${Math.round(evaluations)} evaluations, more than ${EVALUATIONS_MAX}; end it earlier`;
    return [{ timeMs: undefined, message }];
  }
  const timeline = new RuleTimeline({
    ...{ rules: [...rules.values()], start: test.start, digest },
    read: (rule, at) => scriptedReading(test, rule.name, at),
  });
  const notices = policy && new NoticeTimeline(timeline, policy, test.start);
  return moments.flatMap(({ time, alerts, notifications }) => {
    (notices ?? timeline).advance(test.start + time);
    const told = notices?.take() ?? [];
    const found = [
      ...alertDifferences(alerts, timeline.alerts()),
      ...(notifications === undefined ? [] : notificationDifferences(notifications, told)),
    ];
    return found.map((message) => ({ timeMs: time, message }));
  });
}
