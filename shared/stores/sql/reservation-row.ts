import type { Selectable } from 'kysely';
import { canonicalJson } from '../../values/canonical-json.ts';
import type { Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { HeldResources, Hold, Reservation, ReservationState } from '../reservation-store.ts';
import type { LedgerTables } from './ledger-schema.ts';

export type ReservationRow = Selectable<LedgerTables['reservation']>;
type Application = Reservation['applications'][number];

/** What makes two holds of one id the same. */
interface HoldBody {
  readonly application: string;
  readonly resources: HeldResources;
  readonly maxCost: string;
  readonly leaseMs: number;
  readonly multiplierCap?: string;
  readonly quote?: string;
}

export function holdBody(hold: Hold): string {
  const { application, resources, maxCost, leaseMs, multiplierCap, quote } = hold;
  return canonicalJson({
    ...{ application, resources, maxCost: `${maxCost}`, leaseMs },
    ...(multiplierCap === undefined ? {} : { multiplierCap }),
    ...(quote === undefined ? {} : { quote }),
  });
}

/** A lease that is over ends it, whether or not anybody has written so. */
export function stateAt(row: Pick<ReservationRow, 'state' | 'expires_at'>, now: Instant) {
  const state = row.state as ReservationState;
  return state === 'held' && Number(row.expires_at) <= now ? 'expired' : state;
}

export function reservationOf(
  row: ReservationRow,
  applications: readonly Application[],
  now: Instant,
): Reservation {
  const body = JSON.parse(row.body) as HoldBody;
  const state = stateAt(row, now);
  const expiresAt = Number(row.expires_at);
  const resolvedAt = row.resolved_at === null ? undefined : Number(row.resolved_at);
  return {
    project: row.project as ProjectId,
    id: row.id,
    application: body.application,
    resources: body.resources,
    maxCost: BigInt(row.held),
    leaseMs: body.leaseMs,
    multiplierCap: body.multiplierCap,
    quote: body.quote,
    state,
    spent: BigInt(row.spent),
    pending: state === 'held' ? BigInt(row.pending) : 0n,
    createdAt: Number(row.created_at),
    expiresAt,
    resolvedAt: state === 'expired' ? expiresAt : resolvedAt,
    applications,
  };
}
