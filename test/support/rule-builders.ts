import { createHash } from 'node:crypto';
import { type Rule, toRule } from '../../services/alerter/rules/rule.ts';
import { type RuleConfig, ruleConfig } from '../../services/alerter/rules/rule-config.ts';
import type { Sample } from '../../services/alerter/signals/signal.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';

export function testDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

type Written = Partial<Record<keyof RuleConfig, unknown>>;

/** A rule as a file would write it; `when: above 80` unless told otherwise. */
export function aRule(written: Written = {}): Rule {
  const entry = {
    alert: 'QuotaUsed',
    severity: 'warning',
    owner: 'platform',
    signal: { kind: 'balance', measure: 'used-percent' },
    when: { above: 80 },
    annotations: { summary: '{{labels.project}} has used {{value}} %' },
    ...written,
  };
  const place = { file: 'quota.yaml', line: 2 };
  return toRule(ruleConfig.parse(entry), entry, { place, digest: testDigest });
}

/** What a signal says of one project. */
export function aSample(
  name: string,
  value: number | undefined,
  more: Partial<Sample> = {},
): Sample {
  return {
    labels: { project: name },
    project: name as ProjectId,
    target: { kind: 'project', cluster: '', id: name, startedAt: undefined },
    value,
    why: value === undefined ? 'nothing is granted' : '',
    evidence: [
      { what: 'used', value, unit: '%', source: 'ledger', watermark: undefined, complete: true },
    ],
    annotations: {},
    cost: { perHour: '1.5', soFar: '12' },
    ...more,
  };
}
