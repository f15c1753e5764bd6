import type { Alert } from '../../../../../shared/contracts/alert.ts';
import type { Consequence } from '../../../../../shared/contracts/notification.ts';
import { formatInstant } from '../../../../../shared/values/instant.ts';
import { valueText } from '../message/value-text.ts';

/**
 * Label names that every Alertmanager takes: UTF-8 names came with 0.27. Of two names that become
 * the same, the later one in order gets a number, so that no label is lost.
 */
function labelNames(record: Readonly<Record<string, string>>): Record<string, string> {
  const taken = new Map<string, string>();
  for (const name of Object.keys(record).sort()) {
    const plain = name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?![a-zA-Z_])/, '_');
    let free = plain;
    for (let n = 2; taken.has(free); n += 1) free = `${plain}_${n}`;
    const value = record[name] ?? '';
    // Alertmanager refuses an alert with an empty label; a label that is empty is none.
    if (value !== '') taken.set(free, value.toWellFormed());
  }
  return Object.fromEntries(taken);
}

/** Labels as Alertmanager's conventions want them: `alertname`, `severity`; ours never lose to a tenant's. */
export function alertmanagerLabels(alert: Alert): Record<string, string> {
  return {
    ...labelNames(alert.labels),
    alertname: alert.rule,
    severity: alert.severity,
    ...(alert.project !== undefined && { project: alert.project }),
  };
}

export function alertmanagerAnnotations(
  alert: Alert,
  consequences: readonly Consequence[],
): Record<string, string> {
  const [next] = consequences;
  return labelNames({
    ...alert.annotations,
    value: valueText(alert.value, alert.unit),
    limit: alert.limit,
    cost_per_hour: alert.cost?.perHour ?? '',
    cost_so_far: alert.cost?.soFar ?? '',
    state: alert.state,
    consequence: next === undefined ? '' : `${next.does} at ${formatInstant(next.at)}`,
    prevention: next?.prevention ?? '',
  });
}
