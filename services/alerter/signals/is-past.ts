import { type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { SignalDeps } from './signal-deps.ts';

const NOW_MS = 10 * MINUTE_MS;

/** Whether a reading is of the past: what stores only know of the present is no answer to it. */
export function isPast({ clock }: Pick<SignalDeps, 'clock'>, at: Instant): boolean {
  return clock.now() - at > NOW_MS;
}
