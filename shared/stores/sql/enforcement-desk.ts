import type { EnforcementAction } from '../../contracts/action.ts';
import { AppError } from '../../errors/app-error.ts';
import { canonicalJson } from '../../values/canonical-json.ts';
import type {
  Audit,
  EnforcementDesk,
  Exemption,
  GlobalSwitch,
  LevelSwitch,
} from '../enforcement-store.ts';
import {
  actionColumns,
  actionFromJson,
  type ChainWriter,
  writeChain,
} from './enforcement-chain.ts';
import { SqlEnforcementReader } from './enforcement-reader.ts';

type AuditedTable = 'enforcement_level' | 'enforcement_switch' | 'enforcement_exemption';

function needWords(audit: Audit): void {
  const missing = (['id', 'by', 'why'] as const).filter((name) => audit[name].trim() === '');
  if (missing.length === 0) return;
  throw new AppError('BAD_REQUEST', `nothing is switched without ${missing.join(', ')}`);
}

/** Whether the same was done before; other words under its id are a CONFLICT. */
async function wasDone({ trx }: ChainWriter, table: AuditedTable, audit: Audit): Promise<boolean> {
  const row = await trx
    .selectFrom(table)
    .select('body')
    .where('id', '=', audit.id)
    .executeTakeFirst();
  if (row === undefined) return false;
  const { at: _, ...before } = JSON.parse(row.body) as Audit;
  const { at: __, ...now } = audit;
  if (canonicalJson(before) === canonicalJson(now)) return true;
  throw new AppError('CONFLICT', `${audit.id} was used before in other words; use a new id`);
}

/** The action, locked by the head of the chain. */
export async function lockedAction(
  { trx }: ChainWriter,
  id: string,
): Promise<EnforcementAction | undefined> {
  const row = await trx
    .selectFrom('enforcement_action')
    .select('body')
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? undefined : actionFromJson(row.body);
}

/** Writes an action's next version, and the link that tells of it. */
export async function changeAction(
  writer: ChainWriter,
  action: EnforcementAction,
  told: { readonly kind: string; readonly body?: unknown },
): Promise<void> {
  const changed = { ...action, version: action.version + 1 };
  const { id: _, ...columns } = actionColumns(changed);
  await writer.trx
    .updateTable('enforcement_action')
    .set(columns)
    .where('id', '=', action.id)
    .execute();
  const { state, reason, detail, updatedAt: at } = changed;
  const body = { state, reason, detail, ...(told.body as object | undefined) };
  await writer.append({ at, kind: told.kind, action: action.id, body });
}

function needNarrow({ project, cluster, application, workload, ...rest }: Exemption): void {
  const narrowed = [project ?? '', cluster, application, workload].some((name) => name !== '');
  const problems = [
    narrowed ? [] : 'a project, cluster, application or workload',
    rest.owner.trim() === '' ? 'an owner' : [],
    rest.expiresAt > rest.at ? [] : 'an end to come',
  ].flat();
  if (problems.length === 0) return;
  throw new AppError('BAD_REQUEST', `an exemption needs ${problems.join(', ')}`);
}

/** What people do to enforcement; each call leaves a link in the chain. */
export class SqlEnforcementDesk extends SqlEnforcementReader implements EnforcementDesk {
  async switchLevel(level: LevelSwitch): Promise<void> {
    needWords(level);
    await writeChain(this.engine, undefined, async (writer) => {
      if (await wasDone(writer, 'enforcement_level', level)) return;
      const seq = await writer.append({ at: level.at, kind: 'level', action: '', body: level });
      const row = { id: level.id, seq, policy: level.policy, level: level.level };
      await writer.trx
        .insertInto('enforcement_level')
        .values({ ...row, body: canonicalJson(level) })
        .execute();
    });
  }

  async switchAll(turn: GlobalSwitch): Promise<void> {
    needWords(turn);
    await writeChain(this.engine, undefined, async (writer) => {
      if (await wasDone(writer, 'enforcement_switch', turn)) return;
      const seq = await writer.append({ at: turn.at, kind: 'switch', action: '', body: turn });
      await writer.trx
        .insertInto('enforcement_switch')
        .values({ id: turn.id, seq, body: canonicalJson(turn) })
        .execute();
    });
  }

  async exempt(exemption: Exemption): Promise<void> {
    needWords(exemption);
    needNarrow(exemption);
    const { id, at, expiresAt } = exemption;
    await writeChain(this.engine, undefined, async (writer) => {
      if (await wasDone(writer, 'enforcement_exemption', exemption)) return;
      await writer.append({ at, kind: 'exemption', action: '', body: exemption });
      const body = canonicalJson(exemption);
      await writer.trx
        .insertInto('enforcement_exemption')
        .values({ id, expires_at: expiresAt, revoked_at: null, body })
        .execute();
    });
  }

  async revokeExemption(exemption: string, audit: Audit): Promise<void> {
    needWords(audit);
    await writeChain(this.engine, undefined, async (writer) => {
      const { numUpdatedRows } = await writer.trx
        .updateTable('enforcement_exemption')
        .set({ revoked_at: audit.at })
        .where('id', '=', exemption)
        .where('revoked_at', 'is', null)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) return;
      const body = { ...audit, exemption };
      await writer.append({ at: audit.at, kind: 'exemption-revoked', action: '', body });
    });
  }

  async releaseBrake(audit: Audit): Promise<boolean> {
    needWords(audit);
    return await writeChain(this.engine, undefined, async (writer) => {
      if (writer.head.brake === null) return false;
      await writer.append({ at: audit.at, kind: 'brake-released', action: '', body: audit });
      await writer.trx.updateTable('enforcement_state').set({ brake: null }).execute();
      return true;
    });
  }

  async resetClock(audit: Audit): Promise<void> {
    needWords(audit);
    await writeChain(this.engine, undefined, async (writer) => {
      const body = { ...audit, wallMax: Number(writer.head.wall_max) };
      await writer.append({ at: audit.at, kind: 'clock-reset', action: '', body });
      await writer.trx.updateTable('enforcement_state').set({ wall_max: audit.at }).execute();
    });
  }

  async resolve(id: string, outcome: 'verified' | 'failed', audit: Audit): Promise<void> {
    needWords(audit);
    await writeChain(this.engine, undefined, async (writer) => {
      const action = await lockedAction(writer, id);
      if (action?.state !== 'unknown') {
        const is = action === undefined ? 'is not known' : `is ${action.state}`;
        throw new AppError('CONFLICT', `${id} ${is}: only an unknown outcome is resolved`);
      }
      const detail = `${audit.by}: ${audit.why}`;
      const resolved = { ...action, state: outcome, reason: 'resolved', detail };
      await changeAction(
        writer,
        { ...resolved, updatedAt: audit.at },
        { kind: outcome, body: audit },
      );
    });
  }

  async extend(
    id: string,
    extension: { readonly extensions: number; readonly byMs: number },
    audit: Audit,
  ): Promise<void> {
    needWords(audit);
    await writeChain(this.engine, undefined, async (writer) => {
      const action = await lockedAction(writer, id);
      const waits = action?.state === 'proposed' || action?.state === 'announced';
      if (action === undefined || !waits || action.extensions !== extension.extensions) {
        throw new AppError('CONFLICT', `${id} can't be put off by this link any more`);
      }
      const extensions = action.extensions + 1;
      const extendedMs = action.extendedMs + extension.byMs;
      const changed = { ...action, extensions, extendedMs, updatedAt: audit.at };
      await changeAction(writer, changed, { kind: 'extended', body: { ...audit, extendedMs } });
    });
  }
}
