import type { Instant } from '../../../shared/values/instant.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import type { Reading, Sample } from '../signals/signal.ts';
import type { RuleTest } from './rule-test-config.ts';

type Subject = RuleTest['input']['signals'][number];

function sampleOf(subject: Subject, index: number, at: Instant): Sample | undefined {
  const said = subject.values[Math.min(index, subject.values.length - 1)];
  if (said === 'stale' || said === undefined) return undefined;
  const value = said === 'missing' ? undefined : said;
  const { labels, target, unit, annotations, cost, complete } = subject;
  const what = { what: subject.rule, unit, source: 'test' };
  return {
    labels,
    project: subject.project ?? parseProjectId(labels['project'] ?? ''),
    target: {
      kind: target.kind,
      cluster: target.cluster,
      id: target.id,
      startedAt: target.started,
    },
    value,
    why: value === undefined ? 'the test has no value' : '',
    evidence: [{ ...what, value, watermark: at, complete }],
    annotations,
    cost: cost && { perHour: cost.per_hour, soFar: cost.so_far },
  };
}

/** What the signal of a rule answers at a moment of a test. */
export function scriptedReading(
  { input, start, interval }: Pick<RuleTest, 'input' | 'start' | 'interval'>,
  rule: string,
  at: Instant,
): Reading {
  const since = at - start;
  const faults = input.faults.filter(
    (fault) => fault.rule === rule && fault.from <= since && since < fault.until,
  );
  const failed = faults.find((fault) => fault.failed !== undefined)?.failed;
  if (failed !== undefined) return { outcome: 'failed', why: failed };
  const index = Math.floor(since / interval);
  return {
    outcome: 'answered',
    samples: input.signals.flatMap((subject) =>
      subject.rule === rule ? (sampleOf(subject, index, at) ?? []) : [],
    ),
    watermark: at - Math.max(0, ...faults.map(({ behind = 0 }) => behind)),
    complete: !faults.some(({ partial }) => partial),
  };
}
