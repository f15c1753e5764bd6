import { z } from 'zod';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { ControlPlane } from './control-plane.ts';
import type { RunEvents } from './run-events.ts';

/** What a step on a reservation answers; only what is used. */
export const reservationStep = z.object({ id: z.string(), expiresAt: z.string().optional() });

/** While Tollgate is away it is asked at least this often. */
const AWAY_POLL_MS = 15_000;

interface LeaseDeps {
  readonly plane: ControlPlane;
  readonly clock: Clock;
  readonly events: RunEvents;
}

/** A held reservation, as the command that runs under it keeps and ends it. */
export class ReservationLease {
  readonly #deps: LeaseDeps;
  readonly #path: string;
  readonly #id: string;
  readonly #leaseSeconds: number;
  /** Nothing is left to end. */
  #over = false;
  /** Tollgate didn't answer when it was last asked. */
  #away = false;

  constructor(
    deps: LeaseDeps,
    reservation: {
      readonly project: string;
      readonly id: string;
      readonly leaseSeconds: number;
    },
  ) {
    const { project, id, leaseSeconds } = reservation;
    const parts = [project, 'reservations', id].map(encodeURIComponent);
    this.#deps = deps;
    this.#path = `/v1/projects/${parts.join('/')}`;
    this.#id = id;
    this.#leaseSeconds = leaseSeconds;
  }

  /**
   * Renews it at each third of its time until the signal aborts. Whatever becomes of Tollgate, the
   * command goes on; an outage is one line, and its end is another.
   */
  async keep(signal: AbortSignal): Promise<void> {
    const { plane, clock, events } = this.#deps;
    const third = (this.#leaseSeconds * 1_000) / 3;
    const request = {
      method: 'PUT',
      path: `${this.#path}/lease`,
      body: { leaseSeconds: this.#leaseSeconds },
    } as const;
    for (;;) {
      const away = this.#away;
      await clock.sleep(away ? Math.min(third, AWAY_POLL_MS) : third, signal);
      if (signal.aborted) return;
      const reached = await plane.call(request, reservationStep, signal);
      if (signal.aborted) return;
      if (reached.kind === 'ok' && away) events.info('back', 'Tollgate answers again');
      if (reached.kind === 'unreachable' && !away) {
        events.warn(
          'away',
          `Tollgate does not answer (${reached.message}); the command goes on, and its ` +
            `reservation ${this.#id} ends by itself unless it answers in time`,
        );
      }
      if (reached.kind === 'refused' && reached.status !== 429) {
        this.#over = true;
        events.warn('lost', `the reservation is over (${reached.message}); the command goes on`);
        return;
      }
      this.#away = reached.kind !== 'ok';
    }
  }

  /**
   * Gives back what wasn't used.
   *
   * @param how `void` when nothing ran under it
   */
  async end(how: 'post' | 'void', signal: AbortSignal): Promise<void> {
    if (this.#over) return;
    const { plane, events } = this.#deps;
    const request = { method: 'POST', path: `${this.#path}/${how}`, body: {} } as const;
    // Nobody waits longer for his command's end because Tollgate is away.
    const reached = this.#away
      ? await plane.call(request, reservationStep, signal)
      : await plane.patiently(request, reservationStep, signal);
    if (reached.kind === 'ok') return;
    const { message } = reached;
    events.warn(
      'not-released',
      `reservation ${this.#id} could not be released (${message}); it ends by itself when its lease does`,
    );
  }
}
