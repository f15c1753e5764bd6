import type { Transaction } from 'kysely';
import type { Notification } from '../../contracts/notification.ts';
import type { Fence } from '../lease.ts';
import type {
  AlertStatus,
  NotificationLog,
  NotificationRound,
  NotifiedGroup,
} from '../notification-log.ts';
import { type AlertEngine, transactFenced } from './alert-engine.ts';
import { notificationFromJson } from './alert-json.ts';
import type { AlertTables } from './alert-schema.ts';
import { inChunks } from './in-chunks.ts';
import { lastOfEach } from './last-of-each.ts';
import { enqueueNotifications } from './outbox-store.ts';
import { withoutNul } from './without-nul.ts';

const CHUNK = 200;

async function writeGroups(
  trx: Transaction<AlertTables>,
  { groups, closed }: NotificationRound,
): Promise<void> {
  const rows = lastOfEach(groups, ({ groupKey }) => groupKey).map((group) => ({
    id: group.groupKey,
    at: group.at,
    body: JSON.stringify(group),
  }));
  for (const chunk of inChunks([...closed].sort(), CHUNK)) {
    await trx.deleteFrom('notified_group').where('id', 'in', chunk).execute();
  }
  for (const chunk of inChunks(rows, CHUNK)) {
    await trx
      .insertInto('notified_group')
      .values(chunk)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet({
          at: (eb) => eb.ref('excluded.at'),
          body: (eb) => eb.ref('excluded.body'),
        }),
      )
      .execute();
  }
}

async function writeStatuses(
  trx: Transaction<AlertTables>,
  { statuses, cleared }: NotificationRound,
): Promise<void> {
  const rows = lastOfEach(statuses, ({ alert }) => alert).map((status) => ({
    alert: status.alert,
    body: JSON.stringify(status),
  }));
  for (const chunk of inChunks([...cleared].sort(), CHUNK)) {
    await trx.deleteFrom('alert_status').where('alert', 'in', chunk).execute();
  }
  for (const chunk of inChunks(rows, CHUNK)) {
    await trx
      .insertInto('alert_status')
      .values(chunk)
      .onConflict((conflict) =>
        conflict.column('alert').doUpdateSet({ body: (eb) => eb.ref('excluded.body') }),
      )
      .execute();
  }
}

/** The log in the database of the outbox, on SQLite or PostgreSQL. */
export class SqlNotificationLog implements NotificationLog {
  readonly #engine: AlertEngine;

  constructor(engine: AlertEngine) {
    this.#engine = engine;
  }

  async commit(round: NotificationRound, fence: Fence | undefined): Promise<void> {
    await transactFenced(this.#engine, fence, async (trx) => {
      await enqueueNotifications(trx, round.notifications);
      await writeGroups(trx, round);
      await writeStatuses(trx, round);
    });
  }

  async groups(): Promise<NotifiedGroup[]> {
    const rows = await this.#engine.db
      .selectFrom('notified_group')
      .select('body')
      .orderBy('id')
      .execute();
    return rows.map(({ body }) => JSON.parse(body) as NotifiedGroup);
  }

  async statuses(): Promise<AlertStatus[]> {
    const rows = await this.#engine.db
      .selectFrom('alert_status')
      .select('body')
      .orderBy('alert')
      .execute();
    return rows.map(({ body }) => JSON.parse(body) as AlertStatus);
  }

  async status(alert: string): Promise<AlertStatus | undefined> {
    const row = await this.#engine.db
      .selectFrom('alert_status')
      .select('body')
      .where('alert', '=', alert)
      .executeTakeFirst();
    return row === undefined ? undefined : (JSON.parse(row.body) as AlertStatus);
  }

  async notifications({
    project,
    receiver,
    limit,
  }: Parameters<NotificationLog['notifications']>[0]): Promise<Notification[]> {
    const rows = await this.#engine.db
      .selectFrom('outbox')
      .select('body')
      .$if(project !== undefined, (query) => query.where('project', '=', project ?? ''))
      .$if(receiver !== undefined, (query) =>
        query.where('receiver', '=', withoutNul(receiver ?? '')),
      )
      .orderBy('at', 'desc')
      .orderBy('seq', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ body }) => notificationFromJson(JSON.parse(body)));
  }
}
