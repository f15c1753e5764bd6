import { type Selectable, type SelectQueryBuilder, sql, type Transaction } from 'kysely';
import type { Alert } from '../../contracts/alert.ts';
import type { Instant } from '../../values/instant.ts';
import type { AlertFilter, AlertStore, AlertTransition, RuleHealth } from '../alert-store.ts';
import type { Fence } from '../lease.ts';
import { type AlertEngine, transactFenced } from './alert-engine.ts';
import { alertFromJson } from './alert-json.ts';
import type { AlertTables } from './alert-schema.ts';
import { inChunks } from './in-chunks.ts';
import { lastOfEach } from './last-of-each.ts';
import { withoutNul } from './without-nul.ts';

/** Rows a statement: 7 columns stay far below the number of parameters an engine takes. */
const CHUNK = 200;

type AlertChange = Parameters<AlertStore['save']>[0];
type Bodies = SelectQueryBuilder<AlertTables, 'alert', { body: string }>;

function alertRow(alert: Alert): Selectable<AlertTables['alert']> {
  const isOpen = alert.state === 'pending' || alert.state === 'firing';
  return {
    id: alert.id,
    rule: withoutNul(alert.rule),
    project: alert.project ?? '',
    state: alert.state,
    active_since: alert.activeSince,
    ended_at: isOpen ? null : (alert.endedAt ?? alert.evaluatedAt),
    body: JSON.stringify(alert),
  };
}

async function saveAlerts(trx: Transaction<AlertTables>, alerts: readonly Alert[]): Promise<void> {
  for (const chunk of inChunks(lastOfEach(alerts, ({ id }) => id).map(alertRow), CHUNK)) {
    await trx
      .insertInto('alert')
      .values(chunk)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet({
          rule: (eb) => eb.ref('excluded.rule'),
          project: (eb) => eb.ref('excluded.project'),
          state: (eb) => eb.ref('excluded.state'),
          active_since: (eb) => eb.ref('excluded.active_since'),
          ended_at: (eb) => eb.ref('excluded.ended_at'),
          body: (eb) => eb.ref('excluded.body'),
        }),
      )
      .execute();
  }
  if (alerts.length === 0) return;
  await trx.updateTable('alert_revision').set({ revision: sql`revision + 1` }).execute();
}

async function saveTransitions(
  trx: Transaction<AlertTables>,
  transitions: readonly AlertTransition[],
): Promise<void> {
  const rows = lastOfEach(transitions, ({ alert, at }) => `${alert} ${at}`).map((one) => ({
    alert: one.alert,
    at: one.at,
    episode: one.episode,
    from_state: one.from,
    to_state: one.to,
    why: withoutNul(one.why),
  }));
  for (const chunk of inChunks(rows, CHUNK)) {
    await trx
      .insertInto('alert_transition')
      .values(chunk)
      .onConflict((conflict) =>
        conflict.columns(['alert', 'at']).doUpdateSet({
          episode: (eb) => eb.ref('excluded.episode'),
          from_state: (eb) => eb.ref('excluded.from_state'),
          to_state: (eb) => eb.ref('excluded.to_state'),
          why: (eb) => eb.ref('excluded.why'),
        }),
      )
      .execute();
  }
}

async function saveHealth(
  trx: Transaction<AlertTables>,
  health: readonly RuleHealth[],
): Promise<void> {
  const rows = lastOfEach(health, ({ rule }) => withoutNul(rule)).map((one) => ({
    rule: withoutNul(one.rule),
    rule_version: one.ruleVersion,
    evaluated_at: one.evaluatedAt,
    outcome: one.outcome,
    why: withoutNul(one.why),
    duration_ms: one.durationMs,
  }));
  for (const chunk of inChunks(rows, CHUNK)) {
    await trx
      .insertInto('rule_health')
      .values(chunk)
      .onConflict((conflict) =>
        conflict.column('rule').doUpdateSet({
          rule_version: (eb) => eb.ref('excluded.rule_version'),
          evaluated_at: (eb) => eb.ref('excluded.evaluated_at'),
          outcome: (eb) => eb.ref('excluded.outcome'),
          why: (eb) => eb.ref('excluded.why'),
          duration_ms: (eb) => eb.ref('excluded.duration_ms'),
        }),
      )
      .execute();
  }
}

/** Alerts as JSON beside the columns they are found by, on SQLite or PostgreSQL. */
export class SqlAlertStore implements AlertStore {
  readonly #engine: AlertEngine;

  constructor(engine: AlertEngine) {
    this.#engine = engine;
  }

  async save(change: AlertChange, fence: Fence | undefined): Promise<void> {
    await transactFenced(this.#engine, fence, async (trx) => {
      await saveAlerts(trx, change.alerts);
      await saveTransitions(trx, change.transitions);
      await saveHealth(trx, change.health);
    });
  }

  async revision(): Promise<bigint> {
    const { revision } = await this.#engine.db
      .selectFrom('alert_revision')
      .select('revision')
      .executeTakeFirstOrThrow();
    return BigInt(revision);
  }

  open(endedSince: Instant): Promise<Alert[]> {
    return this.#read((bodies) =>
      bodies
        .where((where) =>
          where.or([where('ended_at', 'is', null), where('ended_at', '>', endedSince)]),
        )
        .orderBy('id'),
    );
  }

  async alert(id: string): Promise<Alert | undefined> {
    const [alert] = await this.#read((bodies) => bodies.where('id', '=', id));
    return alert;
  }

  async known(ids: readonly string[]): Promise<Alert[]> {
    const chunks = inChunks([...new Set(ids)].sort(), CHUNK);
    const found: Alert[] = [];
    for (const chunk of chunks) {
      found.push(...(await this.#read((bodies) => bodies.where('id', 'in', chunk).orderBy('id'))));
    }
    return found;
  }

  alerts({ project, rule, state, limit }: AlertFilter): Promise<Alert[]> {
    return this.#read((bodies) =>
      bodies
        .$if(project !== undefined, (query) => query.where('project', '=', project ?? ''))
        .$if(rule !== undefined, (query) => query.where('rule', '=', withoutNul(rule ?? '')))
        .$if(state !== undefined, (query) => query.where('state', '=', state ?? ''))
        .orderBy('active_since', 'desc')
        .orderBy('id')
        .limit(limit),
    );
  }

  async transitions(alert: string, limit: number): Promise<AlertTransition[]> {
    const rows = await this.#engine.db
      .selectFrom('alert_transition')
      .selectAll()
      .where('alert', '=', alert)
      .orderBy('at', 'desc')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      alert: row.alert,
      episode: Number(row.episode),
      at: Number(row.at),
      from: row.from_state as AlertTransition['from'],
      to: row.to_state as AlertTransition['to'],
      why: row.why,
    }));
  }

  async firedOften(since: Instant, times: number): Promise<ReadonlySet<string>> {
    const rows = await this.#engine.db
      .selectFrom('alert_transition')
      .select('alert')
      .where('at', '>=', since)
      .where('to_state', '=', 'firing')
      .groupBy('alert')
      .having((eb) => eb.fn.countAll(), '>=', times)
      .execute();
    return new Set(rows.map(({ alert }) => alert));
  }

  async health(): Promise<RuleHealth[]> {
    const rows = await this.#engine.db
      .selectFrom('rule_health')
      .selectAll()
      .orderBy('rule')
      .execute();
    return rows.map((row) => ({
      rule: row.rule,
      ruleVersion: row.rule_version,
      evaluatedAt: Number(row.evaluated_at),
      outcome: row.outcome as RuleHealth['outcome'],
      why: row.why,
      durationMs: Number(row.duration_ms),
    }));
  }

  async forget(before: Instant): Promise<number> {
    return this.#engine.transact(async (trx) => {
      const { numDeletedRows: alerts } = await trx
        .deleteFrom('alert')
        .where('ended_at', '<', before)
        .executeTakeFirstOrThrow();
      const { numDeletedRows: transitions } = await trx
        .deleteFrom('alert_transition')
        .where('at', '<', before)
        .executeTakeFirstOrThrow();
      const { numDeletedRows: health } = await trx
        .deleteFrom('rule_health')
        .where('evaluated_at', '<', before)
        .executeTakeFirstOrThrow();
      return Number(alerts + transitions + health);
    });
  }

  async #read(choose: (bodies: Bodies) => Bodies): Promise<Alert[]> {
    const rows = await choose(this.#engine.db.selectFrom('alert').select('body')).execute();
    return rows.map(({ body }) => alertFromJson(JSON.parse(body)));
  }
}
