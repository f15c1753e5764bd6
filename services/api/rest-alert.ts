import type { Alert } from '../../shared/contracts/alert.ts';
import type { RestAlert, RestSilence } from '../../shared/contracts/rest-alerts.ts';
import type { Silence } from '../../shared/stores/silence-store.ts';
import { formatInstant, type Instant } from '../../shared/values/instant.ts';

const orNull = (at: Instant | undefined): string | null =>
  at === undefined ? null : formatInstant(at);

export function restAlertOf(alert: Alert): RestAlert {
  const { missingSince: _missing, clearingSince: _clearing, breaches: _breaches, ...rest } = alert;
  return {
    ...rest,
    project: alert.project ?? null,
    target: { ...alert.target, startedAt: orNull(alert.target.startedAt) },
    value: alert.value ?? null,
    evidence: alert.evidence.map((one) => ({
      ...one,
      value: one.value ?? null,
      watermark: orNull(one.watermark),
    })),
    cost: alert.cost ?? null,
    activeSince: formatInstant(alert.activeSince),
    firedAt: orNull(alert.firedAt),
    endedAt: orNull(alert.endedAt),
    evaluatedAt: formatInstant(alert.evaluatedAt),
  };
}

function stateOf({ startsAt, endsAt }: Silence, now: Instant): RestSilence['state'] {
  if (endsAt <= now) return 'expired';
  return startsAt <= now ? 'active' : 'pending';
}

export function restSilenceOf(silence: Silence, now: Instant): RestSilence {
  return {
    ...silence,
    matchers: [...silence.matchers],
    startsAt: formatInstant(silence.startsAt),
    endsAt: formatInstant(silence.endsAt),
    createdAt: formatInstant(silence.createdAt),
    project: silence.project ?? null,
    receiver: silence.receiver ?? null,
    state: stateOf(silence, now),
  };
}
