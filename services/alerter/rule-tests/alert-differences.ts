import type { Alert } from '../../../shared/contracts/alert.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import type { ExpectedAlert } from './rule-test-config.ts';

function nameOf(rule: string, labels: Readonly<Record<string, string>>): string {
  return `${rule}${canonicalJson(labels)}`;
}

function told({ rule, labels, state, value, unit, verdict }: Alert): string {
  const at = value === undefined ? 'no value' : `${value}${unit === '' ? '' : ` ${unit}`}`;
  return `${nameOf(rule, labels)} is ${state} (${verdict}, ${at})`;
}

function differences(expected: ExpectedAlert, alert: Alert): string[] {
  const found: string[] = [];
  const compare = (what: string, want: unknown, got: unknown): void => {
    if (want === undefined || want === got) return;
    found.push(`${what} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
  };
  compare('state', expected.state, alert.state);
  compare('severity', expected.severity, alert.severity);
  compare('verdict', expected.verdict, alert.verdict);
  compare('value', expected.value, alert.value);
  compare('episode', expected.episode, alert.episode);
  for (const [name, text] of Object.entries(expected.annotations)) {
    compare(`annotation ${name}`, text, alert.annotations[name]);
  }
  return found;
}

/** How alerts differ from what was expected: each expected one, and whatever fires beside. */
export function alertDifferences(
  expected: readonly ExpectedAlert[],
  alerts: readonly Alert[],
): string[] {
  const byName = new Map(alerts.map((alert) => [nameOf(alert.rule, alert.labels), alert]));
  const named = new Set<string>();
  const found: string[] = [];
  for (const one of expected) {
    const name = nameOf(one.alert, one.labels);
    const alert = byName.get(name);
    if (named.has(name)) found.push(`${name} is expected twice`);
    named.add(name);
    if (alert === undefined) found.push(`${name} is expected ${one.state} and never was`);
    else found.push(...differences(one, alert).map((difference) => `${name}: ${difference}`));
  }
  for (const [name, alert] of byName) {
    if (alert.state === 'firing' && !named.has(name)) found.push(`unexpected: ${told(alert)}`);
  }
  return found;
}
