import type { EnforcementAction } from '../../contracts/action.ts';
import type { Instant } from '../../values/instant.ts';
import type {
  ActionFilter,
  Brake,
  EnforcementReader,
  EnforcementState,
  Exemption,
  GlobalSwitch,
  HistoryEntry,
  Intent,
  LevelSwitch,
} from '../enforcement-store.ts';
import type { AlertEngine } from './alert-engine.ts';
import { actionFromJson } from './enforcement-chain.ts';

/** What enforcement has written, read back. */
export class SqlEnforcementReader implements EnforcementReader {
  protected readonly engine: AlertEngine;

  constructor(engine: AlertEngine) {
    this.engine = engine;
  }

  async state(): Promise<EnforcementState> {
    const row = await this.#head();
    return {
      steadyMs: Number(row.steady_ms),
      wallMax: Number(row.wall_max),
      references: JSON.parse(row.live) as EnforcementState['references'],
    };
  }

  async brakeOn(): Promise<Brake | undefined> {
    const { brake } = await this.#head();
    return brake === null ? undefined : (JSON.parse(brake) as Brake);
  }

  async open(): Promise<EnforcementAction[]> {
    const rows = await this.engine.db
      .selectFrom('enforcement_action')
      .select('body')
      .where('open', '=', 1)
      .orderBy('seq')
      .execute();
    return rows.map(({ body }) => actionFromJson(body));
  }

  async ofOccurrence(alert: string, episode: number): Promise<EnforcementAction[]> {
    const rows = await this.engine.db
      .selectFrom('enforcement_action')
      .select('body')
      .where('alert', '=', alert)
      .where('episode', '=', episode)
      .orderBy('seq')
      .execute();
    return rows.map(({ body }) => actionFromJson(body));
  }

  async action(id: string): Promise<EnforcementAction | undefined> {
    const row = await this.engine.db
      .selectFrom('enforcement_action')
      .select('body')
      .where('id', '=', id)
      .executeTakeFirst();
    return row === undefined ? undefined : actionFromJson(row.body);
  }

  async actions({ project, state, limit }: ActionFilter): Promise<EnforcementAction[]> {
    let query = this.engine.db.selectFrom('enforcement_action').select('body');
    if (project !== undefined) query = query.where('project', '=', project);
    if (state !== undefined) query = query.where('state', '=', state);
    const rows = await query.orderBy('seq', 'desc').limit(limit).execute();
    return rows.map(({ body }) => actionFromJson(body));
  }

  async intents(since: { readonly at: Instant; readonly steadyMs: number }): Promise<Intent[]> {
    const rows = await this.engine.db
      .selectFrom('enforcement_intent')
      .select('body')
      .where((where) =>
        where.or([where('at', '>', since.at), where('steady_ms', '>', since.steadyMs)]),
      )
      .orderBy('at')
      .orderBy('key')
      .execute();
    return rows.map(({ body }) => {
      const intent = JSON.parse(body) as Intent;
      return { ...intent, project: intent.project ?? undefined };
    });
  }

  async levels(): Promise<LevelSwitch[]> {
    const rows = await this.engine.db
      .selectFrom('enforcement_level as one')
      .select('one.body')
      .where('one.seq', '=', (eb) =>
        eb
          .selectFrom('enforcement_level as other')
          .select((inner) => inner.fn.max('other.seq').as('seq'))
          .whereRef('other.policy', '=', 'one.policy')
          .whereRef('other.level', '=', 'one.level'),
      )
      .orderBy('one.policy')
      .orderBy('one.level')
      .execute();
    return rows.map(({ body }) => JSON.parse(body) as LevelSwitch);
  }

  async globalSwitch(): Promise<GlobalSwitch | undefined> {
    const row = await this.engine.db
      .selectFrom('enforcement_switch')
      .select('body')
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row === undefined ? undefined : (JSON.parse(row.body) as GlobalSwitch);
  }

  async exemptions(now: Instant): Promise<Exemption[]> {
    const rows = await this.engine.db
      .selectFrom('enforcement_exemption')
      .select('body')
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', now)
      .orderBy('expires_at')
      .orderBy('id')
      .execute();
    return rows.map(({ body }) => {
      const exemption = JSON.parse(body) as Exemption;
      return { ...exemption, project: exemption.project ?? undefined };
    });
  }

  async history(after: number, limit: number): Promise<HistoryEntry[]> {
    const rows = await this.engine.db
      .selectFrom('enforcement_history')
      .selectAll()
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(limit)
      .execute();
    return rows.map((row) => ({ ...row, seq: Number(row.seq), at: Number(row.at) }));
  }

  async historyOf(action: string): Promise<HistoryEntry[]> {
    const rows = await this.engine.db
      .selectFrom('enforcement_history')
      .selectAll()
      .where('action', '=', action)
      .where('action', '!=', '')
      .orderBy('seq')
      .execute();
    return rows.map((row) => ({ ...row, seq: Number(row.seq), at: Number(row.at) }));
  }

  #head() {
    return this.engine.db.selectFrom('enforcement_state').selectAll().executeTakeFirstOrThrow();
  }
}
