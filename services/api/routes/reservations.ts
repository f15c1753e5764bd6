import { z } from 'zod';
import {
  restLeaseRequest,
  restReservation,
  restReservationRequest,
  restReservationStep,
  restReservations,
} from '../../../shared/contracts/rest-reservations.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { must } from '../../../shared/errors/assert.ts';
import type { LimitRefusal } from '../../../shared/rating/evaluate-limits.ts';
import { SHADOW_LIMITS } from '../../../shared/rating/shadow-mode.ts';
import {
  type Hold,
  RESERVATION_STATES,
  type Reservation,
  type ReservationRef,
  type StepOutcome,
} from '../../../shared/stores/reservation-store.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import { formatCredits, parseCredits } from '../../../shared/values/money.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { limitParameter } from '../http/query-schema.ts';
import { toRestReason } from '../rest-limits.ts';
import { toRestBalance } from '../rest-money.ts';
import { mustBalance } from './projects.ts';

type Deps = Pick<
  ApiDeps,
  'ledger' | 'reservations' | 'limitsOf' | 'levels' | 'isShadow' | 'deniedWork' | 'clock'
>;
type Step = z.infer<typeof restReservationStep>;

const ALL = '/v1/projects/{project}/reservations';
const ONE = `${ALL}/{id}`;

function holdOf(project: ProjectId, body: z.infer<typeof restReservationRequest>): Hold {
  const { cores, ...rest } = body.resources;
  return {
    ...{ project, id: body.id, application: body.application },
    resources: { ...rest, millicores: Math.round(cores * 1_000) },
    maxCost: must(parseCredits(body.maxCost), 'credits that the schema let pass'),
    leaseMs: body.leaseSeconds * 1_000,
    multiplierCap: body.multiplierCap,
    quote: body.quote,
  };
}

function toRest(one: Reservation): z.infer<typeof restReservation> {
  const { millicores, ...resources } = one.resources;
  return {
    ...{ id: one.id, project: one.project, application: one.application, state: one.state },
    held: formatCredits(one.maxCost),
    spent: formatCredits(one.spent),
    pending: formatCredits(one.pending),
    resources: { cores: millicores / 1_000, ...resources },
    multiplierCap: one.multiplierCap ?? null,
    quote: one.quote ?? null,
    applications: one.applications.map(({ cluster, application }) => ({
      cluster,
      id: application,
    })),
    createdAt: formatInstant(one.createdAt),
    expiresAt: formatInstant(one.expiresAt),
    resolvedAt: one.resolvedAt === undefined ? null : formatInstant(one.resolvedAt),
  };
}

/** All limits that refuse, told at once. */
function refusal(project: ProjectId, refusals: readonly LimitRefusal[]): AppError {
  const waits = refusals.map(({ retryAfterMs }) => retryAfterMs);
  // Waiting helps only where it helps against all of them.
  const retryAfterMs = waits.includes(undefined)
    ? undefined
    : Math.max(...waits.map((ms) => ms ?? 0));
  const said = refusals.map(({ message }) => message).join('; ');
  const details = { reasons: refusals.map(toRestReason) };
  return new AppError('QUOTA_EXCEEDED', `project ${project}: ${said}`, {
    details: retryAfterMs === undefined ? details : { ...details, retryAfterMs },
  });
}

async function answer(deps: Deps, reservation: Reservation, repeated: boolean): Promise<Step> {
  const balance = await mustBalance(deps, reservation.project, deps.clock.now());
  return { ...toRest(reservation), repeated, balance: toRestBalance(balance) };
}

function notThere(project: ProjectId, id: string): AppError {
  return new AppError('NOT_FOUND', `project ${project} has no reservation ${id.slice(0, 200)}`);
}

/** What a step did, or the problem of one that can't be done any more. */
function stepped(
  deps: Deps,
  { project, id }: { readonly project: ProjectId; readonly id: string },
  step: StepOutcome | undefined,
): Promise<Step> {
  if (step === undefined) throw notThere(project, id);
  const { outcome, reservation } = step;
  if (outcome !== 'not-held') return answer(deps, reservation, outcome === 'repeated');
  const { state, resolvedAt } = reservation;
  const when = resolvedAt === undefined ? '' : ` at ${formatInstant(resolvedAt)}`;
  throw new AppError(
    'CONFLICT',
    `reservation ${id} is ${state}${when} and holds nothing any more; hold again under a new id`,
  );
}

/** Enforcement lets nothing new in; a hold that is there is told again. @throws AppError QUOTA_EXCEEDED */
async function demandAdmission(
  { deniedWork, reservations, clock }: Deps,
  ref: ReservationRef,
  shadow: boolean,
): Promise<void> {
  const why = shadow ? undefined : deniedWork(ref.project);
  if (why === undefined) return;
  if ((await reservations.reservation(ref, clock.now())) !== undefined) return;
  throw new AppError('QUOTA_EXCEEDED', why);
}

function holdEndpoint(deps: Deps): Endpoint {
  return endpoint({
    method: 'post',
    path: ALL,
    scope: 'quota-check',
    summary: 'Holds credits and cores before a job starts; the same id again holds nothing twice',
    body: restReservationRequest,
    answer: restReservationStep,
    status: 201,
    async handle({ project, body }) {
      const now = deps.clock.now();
      const hold = holdOf(project, body);
      const shadow = deps.isShadow(project);
      await demandAdmission(deps, { project, id: body.id }, shadow);
      const limits = shadow ? SHADOW_LIMITS : deps.limitsOf(project);
      const levels = shadow ? [] : deps.levels?.above(project);
      const held = await deps.reservations.hold(hold, limits, now, levels);
      switch (held.outcome) {
        case 'unknown-project':
          throw new AppError('NOT_FOUND', `there is no project ${project}`);
        case 'conflict':
          throw new AppError(
            'CONFLICT',
            `reservation ${body.id} was made before with another body; use a new id`,
          );
        case 'refused':
          throw refusal(project, held.refusals);
        case 'refused-above':
          throw new AppError('QUOTA_EXCEEDED', `project ${project}: ${held.refusal.message}`);
        default:
          return {
            ...toRest(held.reservation),
            repeated: held.outcome === 'exists',
            balance: toRestBalance(held.balance),
          };
      }
    },
  });
}

function stepEndpoints(deps: Deps): Endpoint[] {
  const idOf = (params: Readonly<Record<string, string>>): string => params['id'] ?? '';
  return [
    endpoint({
      method: 'put',
      path: `${ONE}/lease`,
      scope: 'quota-check',
      summary: 'Renews the lease; may say which application runs under it',
      body: restLeaseRequest,
      answer: restReservationStep,
      async handle({ project, params, body }) {
        const [ref, now] = [{ project, id: idOf(params) }, deps.clock.now()];
        const renewed = await deps.reservations.renew(ref, body.leaseSeconds * 1_000, now);
        if (body.application === undefined || renewed?.outcome !== 'done') {
          return stepped(deps, ref, renewed);
        }
        const { cluster, id: application } = body.application;
        const runs = await deps.reservations.attach(ref, { cluster, application }, now);
        return stepped(deps, ref, runs && { ...runs, outcome: 'done' });
      },
    }),
    endpoint({
      method: 'post',
      path: `${ONE}/post`,
      scope: 'quota-check',
      summary: 'Ends it after the work, and releases what was not spent',
      body: z.strictObject({}),
      answer: restReservationStep,
      async handle({ project, params }) {
        const ref = { project, id: idOf(params) };
        return stepped(deps, ref, await deps.reservations.post(ref, deps.clock.now()));
      },
    }),
    endpoint({
      method: 'post',
      path: `${ONE}/void`,
      scope: 'quota-check',
      summary: 'Ends it as one that was not used',
      body: z.strictObject({}),
      answer: restReservationStep,
      async handle({ project, params }) {
        const ref = { project, id: idOf(params) };
        return stepped(deps, ref, await deps.reservations.void(ref, deps.clock.now()));
      },
    }),
  ];
}

/** Credits and cores held before the work: hold, then post or void. */
export function reservationEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: ALL,
      scope: 'read',
      summary: 'Reservations, newest first',
      query: z.object({
        state: z.enum(RESERVATION_STATES).optional(),
        limit: limitParameter(100, 1_000),
      }),
      answer: restReservations,
      async handle({ project, query: { state, limit } }) {
        await mustBalance(deps, project);
        const filter = state === undefined ? { limit } : { state, limit };
        const found = await deps.reservations.reservations(project, filter, deps.clock.now());
        return { reservations: found.map(toRest) };
      },
    }),
    holdEndpoint(deps),
    endpoint({
      method: 'get',
      path: ONE,
      scope: 'read',
      summary: 'One reservation',
      answer: restReservation,
      async handle({ project, params }) {
        const id = params['id'] ?? '';
        const found = await deps.reservations.reservation({ project, id }, deps.clock.now());
        if (found === undefined) throw notThere(project, id);
        return toRest(found);
      },
    }),
    ...stepEndpoints(deps),
  ];
}
