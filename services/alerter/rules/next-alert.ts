import type { Alert } from '../../../shared/contracts/alert.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { Finding } from './finding.ts';
import type { Rule } from './rule.ts';
import { sameCondition } from './rule.ts';

/** The part of an alert that says where it stands in its life. */
export type AlertLife = Pick<
  Alert,
  'state' | 'episode' | 'activeSince' | 'firedAt' | 'endedAt' | 'clearingSince' | 'missingSince'
>;

export function isOpen({ state }: Pick<Alert, 'state'>): boolean {
  return state === 'pending' || state === 'firing';
}

type Durations = Pick<Rule, 'forMs' | 'keepFiringForMs'>;

function begun(previous: Alert | undefined, now: Instant): AlertLife {
  // An episode that never fired was never told of: its number is free.
  const fired = previous?.firedAt !== undefined;
  return {
    state: 'pending',
    episode: (previous?.episode ?? 1) + (fired ? 1 : 0),
    activeSince: now,
    firedAt: undefined,
    endedAt: undefined,
    clearingSince: undefined,
    missingSince: undefined,
  };
}

function ended(life: AlertLife, now: Instant, how: 'resolved' | 'gone'): AlertLife {
  const state = life.firedAt === undefined ? 'inactive' : how;
  return { ...life, state, endedAt: now };
}

function inBreach(life: AlertLife, now: Instant, { forMs }: Durations): AlertLife {
  if (life.state === 'firing') return { ...life, clearingSince: undefined };
  if (now - life.activeSince < forMs) return life;
  return { ...life, state: 'firing', firedAt: now };
}

function clear(life: AlertLife, now: Instant, { keepFiringForMs }: Durations): AlertLife {
  if (life.state === 'pending') return ended(life, now, 'resolved');
  const clearingSince = life.clearingSince ?? now;
  if (now - clearingSince < keepFiringForMs) return { ...life, clearingSince };
  return ended({ ...life, clearingSince }, now, 'resolved');
}

/**
 * Where an alert stands after a finding about its subject; undefined: there is none, as before.
 *
 * @param previous its last state, ended or not; undefined where it never had one
 */
export function lifeAfter(
  previous: Alert | undefined,
  { towards }: Finding,
  { rule, now }: { readonly rule: Pick<Rule, 'version'> & Durations; readonly now: Instant },
): AlertLife | undefined {
  if (previous === undefined || !isOpen(previous)) {
    return towards === 'firing' ? inBreach(begun(previous, now), now, rule) : undefined;
  }
  // What was a breach under another condition has yet to last under this one.
  const anew = previous.state === 'pending' && !sameCondition(previous.ruleVersion, rule.version);
  const life = { ...previous, missingSince: undefined, ...(anew && { activeSince: now }) };
  switch (towards) {
    case 'firing':
      return inBreach(life, now, rule);
    case 'end':
      return clear(life, now, rule);
    case 'hold':
      return life.state === 'pending'
        ? ended(life, now, 'resolved')
        : { ...life, clearingSince: undefined };
    case 'nowhere':
      return life;
  }
}

/** Where an open alert stands whose subject a whole and fresh reading doesn't have. */
export function lifeWhenMissing(previous: Alert, now: Instant): AlertLife {
  if (previous.missingSince === undefined) return { ...previous, missingSince: now };
  return ended(previous, now, 'gone');
}

/** No instant after `now`: after a clock went back, `for` runs on from there and nothing is early. */
export function clampedTo<Life extends AlertLife>(life: Life, now: Instant): Life {
  const clamp = <T extends Instant | undefined>(at: T): T =>
    (at === undefined ? at : Math.min(at, now)) as T;
  return {
    ...life,
    activeSince: clamp(life.activeSince),
    firedAt: clamp(life.firedAt),
    endedAt: clamp(life.endedAt),
    clearingSince: clamp(life.clearingSince),
    missingSince: clamp(life.missingSince),
  };
}
