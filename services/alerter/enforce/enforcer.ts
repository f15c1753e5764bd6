import { DESTRUCTIVE_LEVELS, type EnforcementAction } from '../../../shared/contracts/action.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { HOUR_MS, type Instant } from '../../../shared/values/instant.ts';
import { actionId } from './action-identity.ts';
import { announcementId, announcementOf, brakeNotification } from './announcement.ts';
import { changeState, executeAction, liftAction, type TickContext } from './carry-out.ts';
import type { EnforcerDeps } from './enforcer-deps.ts';
import { freezeInput } from './freeze-input.ts';
import { gatherInput } from './gather-input.ts';
import { outcomeNotifications } from './outcome-notification.ts';
import { settleReferences } from './plan/hold.ts';
import { planEnforcement } from './plan/plan-enforcement.ts';
import { type EnforcementPlan, LEFT_REASONS, type PlanInput } from './plan/plan-input.ts';
import { SteadyTime } from './steady-time.ts';
import { verifyAction } from './verify-action.ts';

/** Newest actions that are looked at for messages about what they came to. */
const OUTCOMES_MAX = 500;
const TOLD_MAX = 10_000;

type TickOutcome = 'led' | 'standby' | 'failed';

/**
 * Gathers, asks the planner, and does what the plan says, again and again, while this process holds
 * the lease. Whatever can't be read leads to nothing.
 */
export class Enforcer {
  readonly #deps: EnforcerDeps;
  readonly #steady = new SteadyTime();
  /** Ids of messages about outcomes that are in the outbox. */
  readonly #told = new Set<string>();
  #plan: EnforcementPlan | undefined;

  constructor(deps: EnforcerDeps) {
    this.#deps = deps;
  }

  /** The last plan, for people: who is left alone, and why. */
  get plan(): EnforcementPlan | undefined {
    return this.#plan;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.#deps;
    while (!signal.aborted) {
      await this.tick(signal);
      await clock.sleep(settings.tickMs, signal);
    }
  }

  /** One round; never rejects for what the world does. */
  async tick(signal: AbortSignal): Promise<TickOutcome> {
    const { logger, metrics } = this.#deps;
    const outcome = await this.#lead(signal).catch((error: unknown): TickOutcome => {
      this.#steady.lost();
      if (signal.aborted) return 'failed';
      this.#noteFence(error);
      const message = error instanceof Error ? error.message : String(error);
      logger.warn({ error: message }, 'enforcement did nothing in this round');
      return 'failed';
    });
    metrics.counter(
      'tollgate_enforce_ticks_total',
      'Rounds of enforcement, by outcome.',
    )({
      outcome,
    });
    return outcome;
  }

  #noteFence(error: unknown): void {
    if (error instanceof AppError && error.code === 'FENCED') this.#deps.lease.lost();
  }

  async #lead(signal: AbortSignal): Promise<TickOutcome> {
    const deps = this.#deps;
    const fence = await deps.lease.fence();
    if (fence === undefined) {
      this.#steady.lost();
      return 'standby';
    }
    const elapsed = deps.clock.elapsed();
    const steadyOf = (stored: number): number => this.#steady.at(stored, fence.token, elapsed);
    const input = await gatherInput(deps, steadyOf, signal);
    const { references } = settleReferences(input);
    const { steadyMs, now } = input;
    const wallMax = Math.max(input.state.wallMax, now);
    await deps.store.keepState({ steadyMs, wallMax, references }, fence);
    this.#steady.kept(steadyMs, fence.token, elapsed);
    const plan = planEnforcement(input);
    this.#plan = plan;
    this.#measure(plan, input);
    await this.#carryOut(plan, { deps, fence, signal, input });
    await this.#tellOutcomes(now);
    return 'led';
  }

  async #carryOut(plan: EnforcementPlan, context: TickContext): Promise<void> {
    const { deps, fence, input } = context;
    if (plan.brake !== undefined) await this.#pullBrake(plan.brake, context);
    const byId = new Map(input.actions.map((action) => [action.id, action]));
    await this.#each(plan.abort, async ({ action: id, reason, detail }) => {
      const action = byId.get(id);
      if (action !== undefined)
        await changeState(context, action, { state: 'aborted', reason, detail });
    });
    const asked = input.actions.filter(({ state }) => {
      return state === 'intended' || state === 'asked' || state === 'reversing';
    });
    await this.#each(asked, (action) => verifyAction(context, action));
    if (plan.propose.length > 0) {
      const now = { proposedAt: input.now, proposedSteadyMs: input.steadyMs };
      const actions = plan.propose.map((proposal) => ({
        ...proposal,
        ...now,
        id: actionId(proposal, input.now),
        frozen: freezeInput(input, proposal),
      }));
      await deps.store.propose(actions, fence);
    }
    if (plan.hold === undefined && plan.brake === undefined) await this.#announce(context);
    let done = 0;
    await this.#each(plan.execute, async (id) => {
      const level = byId.get(id)?.level;
      // Counted before it is begun: whether it was may not be known afterwards.
      if (level !== undefined && DESTRUCTIVE_LEVELS.has(level)) done += 1;
      await executeAction(context, id, done - 1);
    });
    await this.#each(plan.lift, (id) => liftAction(context, id));
  }

  /** Of the last hour, whoever did them: what a process that died didn't tell is told by the next. */
  async #tellOutcomes(now: Instant): Promise<void> {
    const { store, outbox } = this.#deps;
    const recent = (await store.actions({ limit: OUTCOMES_MAX })).filter(
      (action) => action.updatedAt > now - HOUR_MS,
    );
    const untold = recent
      .flatMap((action) => outcomeNotifications(action, now))
      .filter(({ id }) => !this.#told.has(id));
    if (untold.length === 0) return;
    await outbox.enqueue(untold);
    if (this.#told.size > TOLD_MAX) this.#told.clear();
    for (const { id } of untold) this.#told.add(id);
  }

  async #pullBrake(brake: { reason: string; detail: string }, context: TickContext): Promise<void> {
    const { deps, fence, input } = context;
    await deps.store.brake({ ...brake, at: input.now }, fence);
    deps.logger.error(
      brake,
      'enforcement stopped itself: look at its plan, then release the brake',
    );
    const { operators } = deps.settings;
    await deps.outbox.enqueue(operators.map((one) => brakeNotification(brake, one, input.now)));
  }

  /** Puts announcements into the outbox, and sees which have arrived. */
  async #announce(context: TickContext): Promise<void> {
    const open = await context.deps.store.open();
    const proposed = open.filter(({ state }) => state === 'proposed');
    await this.#each(proposed, (action) => this.#announceOne(context, action));
  }

  async #announceOne(context: TickContext, action: EnforcementAction): Promise<void> {
    const { deps, input } = context;
    const { settings, links, outbox } = deps;
    const alert = input.alerts.find(({ id }) => id === action.alert);
    if (alert === undefined) return;
    const policy = settings.policies.find(({ id }) => id === action.policy);
    const arrivals: number[] = [];
    for (const receiver of action.announceTo) {
      const told = await outbox.deliveries(announcementId(action, receiver));
      if (told === undefined) {
        const extensionsMax = () => policy?.extensionsMax ?? 0;
        const how = { receiver, now: input.now, links, extensionsMax };
        await outbox.enqueue([announcementOf(action, alert, how)]);
      }
      for (const { outcome, at } of told?.deliveries ?? []) {
        if (outcome === 'delivered') arrivals.push(at);
      }
    }
    if (arrivals.length === 0) return;
    const announcedAt = Math.max(input.now, Math.min(...arrivals));
    const times = { announcedAt, announcedSteadyMs: input.steadyMs };
    await changeState(context, action, { state: 'announced', ...times });
  }

  /** What goes wrong with one holds up no other, but for the loss of the lease. */
  async #each<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
    for (const one of all) {
      try {
        await work(one);
      } catch (error) {
        if (!(error instanceof AppError) || error.code === 'FENCED') throw error;
        this.#deps.logger.warn({ error: error.message }, 'an action waits for the next round');
      }
    }
  }

  #measure(plan: EnforcementPlan, input: PlanInput): void {
    const { metrics } = this.#deps;
    const left = metrics.gauge(
      'tollgate_enforce_left',
      'Alerts and targets left alone, by reason.',
    );
    const counts = Map.groupBy(plan.left, ({ reason }) => reason);
    for (const reason of LEFT_REASONS) left({ reason }, counts.get(reason)?.length ?? 0);
    const held = metrics.gauge('tollgate_enforce_held', '1 while nothing is done, by reason.');
    for (const reason of ['switched-off', 'braked', 'clock-went-back', 'frozen']) {
      held({ reason }, plan.hold?.reason === reason ? 1 : 0);
    }
    const open = metrics.gauge('tollgate_enforce_open', 'Actions that are not final, by state.');
    const states = Map.groupBy(input.actions, ({ state }) => state);
    for (const state of ['proposed', 'announced', 'intended', 'asked', 'unknown', 'reversing']) {
      open({ state }, states.get(state as EnforcementAction['state'])?.length ?? 0);
    }
  }
}
