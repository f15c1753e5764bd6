import { type Alert, occurrenceOf } from '../../shared/contracts/alert.ts';
import type { Notification } from '../../shared/contracts/notification.ts';
import type { Silence } from '../../shared/stores/silence-store.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { T0 } from './fact-builders.ts';

/** An alert that fires since T0. */
export function anAlert(id: string, over: Partial<Alert> = {}): Alert {
  return {
    id,
    episode: 1,
    rule: 'cluster-idle',
    ruleVersion: 'c1-r1',
    severity: 'warning',
    project: 'etl' as ProjectId,
    target: { kind: 'cluster', cluster: 'yarn-1', id: 'yarn-1', startedAt: undefined },
    labels: { cluster: 'yarn-1', subject: id },
    annotations: { summary: 'idle – "ünï" 100 %' },
    state: 'firing',
    verdict: 'breach',
    verdictWhy: '',
    breaches: 2,
    value: 91.5,
    unit: '%',
    limit: 'above 80 %',
    evidence: [
      {
        what: 'idle for',
        value: undefined,
        unit: 'ms',
        source: 'yarn-1',
        watermark: undefined,
        complete: true,
      },
    ],
    cost: { perHour: '38', soFar: '12.5' },
    activeSince: T0 - 60_000,
    firedAt: T0,
    endedAt: undefined,
    clearingSince: undefined,
    missingSince: undefined,
    evaluatedAt: T0,
    ...over,
  };
}

/** The alert, ended. */
export function ended(alert: Alert, endedAt: number, state: 'resolved' | 'gone' = 'resolved') {
  return { ...alert, state, verdict: 'ok' as const, endedAt, evaluatedAt: endedAt };
}

/** A message of a group with one alert. */
export function aNotification(id: string, over: Partial<Notification> = {}): Notification {
  const alert = anAlert('a1');
  return {
    id,
    receiver: 'ops',
    groupKey: 'g1',
    groupLabels: { alertname: 'cluster-idle' },
    reason: 'first-notification',
    status: 'firing',
    project: 'etl' as ProjectId,
    firing: [
      {
        alert,
        consequences: [
          {
            action: `stop/${occurrenceOf(alert)}`,
            does: 'stops the application',
            at: T0 + 60_000,
            prevention: 'ask ops',
            extendUrl: undefined,
          },
        ],
      },
    ],
    ended: [],
    more: { firing: 0, ended: 0 },
    text: '',
    at: T0,
    ...over,
  };
}

/** A silence of the project etl, for an hour from T0. */
export function aSilence(id: string, over: Partial<Silence> = {}): Silence {
  return {
    id,
    matchers: [{ name: 'project', value: 'etl', isRegex: false, isEqual: true }],
    author: 'ada',
    comment: 'maintenance',
    startsAt: T0,
    endsAt: T0 + 3_600_000,
    createdAt: T0,
    project: 'etl' as ProjectId,
    receiver: undefined,
    endedBy: '',
    ...over,
  };
}
