import type { Alert } from '../../../shared/contracts/alert.ts';

/**
 * The labels that routes, silences and inhibitions see: the alert's own, and what Tollgate knows of
 * it under names that a tenant's label can't take (`project` decides who may silence it).
 */
export function labelsOf(alert: Alert): Readonly<Record<string, string>> {
  const { target } = alert;
  return {
    ...(target.cluster === '' ? {} : { cluster: target.cluster }),
    ...alert.labels,
    alertname: alert.rule,
    severity: alert.severity,
    project: alert.project ?? '',
    kind: target.kind,
  };
}
