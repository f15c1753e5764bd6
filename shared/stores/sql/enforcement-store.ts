import type { EnforcementAction } from '../../contracts/action.ts';
import { AppError } from '../../errors/app-error.ts';
import { canonicalJson } from '../../values/canonical-json.ts';
import type { Instant } from '../../values/instant.ts';
import type {
  ActionChange,
  Brake,
  EnforcementState,
  EnforcementStore,
  Intent,
  NewAction,
} from '../enforcement-store.ts';
import type { Fence } from '../lease.ts';
import { actionColumns, type ChainWriter, writeChain } from './enforcement-chain.ts';
import { changeAction, lockedAction, SqlEnforcementDesk } from './enforcement-desk.ts';

type Versioned = Pick<EnforcementAction, 'id' | 'version'>;

/** The action as it was read, or a CONFLICT. */
async function unchanged(writer: ChainWriter, { id, version }: Versioned) {
  const action = await lockedAction(writer, id);
  if (action?.version === version) return action;
  throw new AppError('CONFLICT', `action ${id} was changed since it was read`);
}

function actionOf({ frozen: _, ...proposed }: NewAction): EnforcementAction {
  return {
    ...proposed,
    state: 'proposed',
    reason: '',
    detail: '',
    version: 1,
    announcedAt: undefined,
    announcedSteadyMs: undefined,
    extendedMs: 0,
    extensions: 0,
    intendedAt: undefined,
    intendedSteadyMs: undefined,
    queueBefore: '',
    restore: undefined,
    updatedAt: proposed.proposedAt,
  };
}

/**
 * Enforcement's rows beside the alerts, on SQLite or PostgreSQL. Every write holds the head of the
 * chain, so that there is one order of what happened.
 */
export class SqlEnforcementStore extends SqlEnforcementDesk implements EnforcementStore {
  async keepState(state: EnforcementState, fence: Fence): Promise<void> {
    await writeChain(this.engine, fence, async ({ trx }) => {
      await trx
        .updateTable('enforcement_state')
        .set({
          steady_ms: state.steadyMs,
          wall_max: state.wallMax,
          live: canonicalJson(state.references),
        })
        .execute();
    });
  }

  async propose(actions: readonly NewAction[], fence: Fence): Promise<void> {
    await writeChain(this.engine, fence, async (writer) => {
      for (const one of actions) {
        if ((await lockedAction(writer, one.id)) !== undefined) continue;
        const action = actionOf(one);
        const body = { action, frozen: one.frozen };
        const told = { at: one.proposedAt, kind: 'proposed', action: one.id, body };
        const seq = await writer.append(told);
        await writer.trx
          .insertInto('enforcement_action')
          .values({ ...actionColumns(action), seq })
          .execute();
      }
    });
  }

  async change(action: Versioned, change: ActionChange, at: Instant, fence: Fence): Promise<void> {
    await writeChain(this.engine, fence, async (writer) => {
      const before = await unchanged(writer, action);
      await changeAction(writer, { ...before, ...change, updatedAt: at }, { kind: change.state });
    });
  }

  async intend(
    intent: Intent,
    action: Pick<EnforcementAction, 'version' | 'queueBefore' | 'restore'> & {
      readonly recheck: string;
    },
    fence: Fence,
  ): Promise<void> {
    const { key, at, steadyMs } = intent;
    const { version, queueBefore, restore, recheck } = action;
    await writeChain(this.engine, fence, async (writer) => {
      const before = await unchanged(writer, { id: intent.action, version });
      const reverses = before.state === 'verified';
      if (!reverses && before.state !== 'announced') {
        throw new AppError('CONFLICT', `action ${before.id} is ${before.state}: it can't be begun`);
      }
      const { numInsertedOrUpdatedRows: inserted } = await writer.trx
        .insertInto('enforcement_intent')
        .values({ key, at, steady_ms: steadyMs, body: canonicalJson(intent) })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .executeTakeFirstOrThrow();
      if (inserted !== 1n) throw new AppError('CONFLICT', `this was begun before: ${key}`);
      const state = reverses ? 'reversing' : 'intended';
      const times = { intendedAt: at, intendedSteadyMs: steadyMs, updatedAt: at };
      const changed = { ...before, state, ...times, queueBefore, restore } as const;
      await changeAction(writer, changed, { kind: state, body: { key, recheck } });
    });
  }

  async brake(brake: Brake, fence: Fence): Promise<void> {
    await writeChain(this.engine, fence, async (writer) => {
      if (writer.head.brake !== null) return;
      await writer.append({ at: brake.at, kind: 'brake', action: '', body: brake });
      await writer.trx
        .updateTable('enforcement_state')
        .set({ brake: canonicalJson(brake) })
        .execute();
    });
  }
}
