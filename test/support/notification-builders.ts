import type { Alert } from '../../shared/contracts/alert.ts';
import type { Consequence, Notification } from '../../shared/contracts/notification.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';

/** When the alerts of tests fire, unless they say otherwise. */
export const FIRED_AT = Date.UTC(2026, 10, 21, 9);

export function anAlert(over: Partial<Alert> = {}): Alert {
  return {
    id: 'a1b2c3d4e5f60718',
    episode: 1,
    rule: 'RunawayApplication',
    ruleVersion: 'v1',
    severity: 'critical',
    project: 'etl' as ProjectId,
    target: {
      kind: 'application',
      cluster: 'prod-yarn',
      id: 'application_1763700000000_0042',
      startedAt: FIRED_AT - 5_400_000,
    },
    labels: { application: 'application_1763700000000_0042', user: 'ana' },
    annotations: {
      summary: 'nightly-load has cost 412 credits, its median is 90',
      description: 'It reads 4 times its usual input and spills to disk.',
      advice: 'Look at stage 7, which repeats since 08:10.',
      runbook: 'https://runbooks.example.org/RunawayApplication',
    },
    state: 'firing',
    verdict: 'breach',
    verdictWhy: '',
    breaches: 3,
    value: 412.25,
    unit: 'credits',
    limit: 'above 180 credits',
    evidence: [],
    cost: { perHour: '38.5', soFar: '412.25' },
    activeSince: FIRED_AT - 300_000,
    firedAt: FIRED_AT,
    endedAt: undefined,
    clearingSince: undefined,
    missingSince: undefined,
    evaluatedAt: FIRED_AT,
    ...over,
  };
}

export function aConsequence(over: Partial<Consequence> = {}): Consequence {
  return {
    action: 'act-1',
    does: 'stops the application',
    at: FIRED_AT + 14 * 60_000,
    prevention: 'tollgate enforce extend act-1 --by 2h, or ask the owner of the platform',
    extendUrl: 'https://tollgate.example.org/extend/act-1?key=5f3a',
    ...over,
  };
}

export function aNotification(over: Partial<Notification> = {}): Notification {
  return {
    id: 'n-1',
    receiver: 'data-eng',
    groupKey: '{}:{project="etl"}',
    groupLabels: { project: 'etl' },
    reason: 'first-notification',
    status: 'firing',
    project: 'etl' as ProjectId,
    firing: [{ alert: anAlert(), consequences: [aConsequence()] }],
    ended: [],
    more: { firing: 0, ended: 0 },
    text: '',
    at: FIRED_AT,
    ...over,
  };
}

/** The same group, ended. */
export function aResolvedNotification(over: Partial<Notification> = {}): Notification {
  const alert = anAlert({ state: 'resolved', verdict: 'ok', endedAt: FIRED_AT + 1_500_000 });
  return aNotification({
    id: 'n-2',
    reason: 'all-resolved',
    status: 'resolved',
    firing: [],
    ended: [{ alert, consequences: [] }],
    at: FIRED_AT + 1_500_000,
    ...over,
  });
}

/** Text that tries to break out of whatever medium it is put into. */
export const HOSTILE_TEXTS = {
  formula: "=cmd|'/c calc'!A1",
  html: '<script>alert(1)</script><img src=x onerror=alert(1)>"\'&amp;',
  slack: '<!channel> <@U123> <https://evil.example|click> *bold* _it_ ~s~ `code` &lt;',
  rightToLeft: 'abc\u202egnp.exe \u2066שלום עולם\u2069',
  template: `{{constructor}} {{#each this}}$\{process.env.HOME}`,
  lines: 'one\r\nBcc: victim@example.org\r\n\r\n.\r\nQUIT\u2028two\u0000\u001b[31m',
  long: 'x'.repeat(10_000),
  lone: 'half \ud83d surrogate',
} as const;

/** A notification whose every tenant's text is hostile. */
export function aHostileNotification(over: Partial<Notification> = {}): Notification {
  const alert = anAlert({
    rule: `Rule ${HOSTILE_TEXTS.slack}`,
    labels: { ...HOSTILE_TEXTS, [HOSTILE_TEXTS.html]: HOSTILE_TEXTS.slack, __proto__x: 'p' },
    annotations: {
      summary: `${HOSTILE_TEXTS.slack} ${HOSTILE_TEXTS.html}`,
      description: `${HOSTILE_TEXTS.template} ${HOSTILE_TEXTS.lines} ${HOSTILE_TEXTS.rightToLeft}`,
      advice: `${HOSTILE_TEXTS.formula} ${HOSTILE_TEXTS.long}`,
      runbook: 'javascript:alert(1)',
    },
    target: {
      kind: 'application',
      cluster: HOSTILE_TEXTS.html,
      id: HOSTILE_TEXTS.lines,
      startedAt: undefined,
    },
    unit: HOSTILE_TEXTS.html,
    limit: HOSTILE_TEXTS.slack,
  });
  const consequence = aConsequence({
    does: `stops ${HOSTILE_TEXTS.slack}`,
    prevention: HOSTILE_TEXTS.html,
  });
  return aNotification({
    firing: [{ alert, consequences: [consequence] }],
    groupKey: HOSTILE_TEXTS.lines,
    groupLabels: { name: HOSTILE_TEXTS.html },
    text: HOSTILE_TEXTS.rightToLeft,
    ...over,
  });
}

/** More alerts than any medium has room for. */
export function aLongNotification(count = 50): Notification {
  const firing = Array.from({ length: count }, (_, i) => ({
    alert: anAlert({
      id: `id${i}`,
      annotations: { ...anAlert().annotations, summary: `Alert ${i} ${HOSTILE_TEXTS.slack}` },
    }),
    consequences: [aConsequence()],
  }));
  return aNotification({ id: 'n-long', firing, more: { firing: 4_950, ended: 0 } });
}
