import { createHash } from 'node:crypto';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { Notification } from '../../contracts/notification.ts';
import { canonicalJson } from '../../values/canonical-json.ts';
import type { Instant } from '../../values/instant.ts';
import type { Delivery, OutboxStore, Pending } from '../outbox-store.ts';
import type { AlertEngine } from './alert-engine.ts';
import { notificationFromJson } from './alert-json.ts';
import type { AlertTables } from './alert-schema.ts';
import { inChunks } from './in-chunks.ts';
import { withoutNul } from './without-nul.ts';

const CHUNK = 100;
/** Receivers that fail at once; more are configured by nobody. */
const FAILING_MAX = 1_000;

type DeliveryRow = Selectable<AlertTables['outbox_delivery']>;
type DueRow = Pick<Selectable<AlertTables['outbox']>, 'attempts' | 'next_at' | 'error' | 'body'> & {
  readonly id: string;
};

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(canonicalJson(parts)).digest('hex');
}

function deliveryFromRow(row: DeliveryRow): Delivery {
  return {
    notification: row.notification,
    destination: row.destination,
    outcome: row.outcome as Delivery['outcome'],
    at: Number(row.at),
    why: row.why,
  };
}

/** Puts messages into the outbox, as part of a transaction that says more. */
export async function enqueueNotifications(
  trx: Transaction<AlertTables>,
  notifications: readonly Notification[],
): Promise<void> {
  const rows = notifications.map((notification) => ({
    id: notification.id,
    receiver: withoutNul(notification.receiver),
    group_hash: hashOf([notification.groupKey]),
    project: notification.project ?? '',
    at: notification.at,
    attempts: 0,
    next_at: notification.at,
    error: '',
    body: JSON.stringify(notification),
  }));
  for (const chunk of inChunks(rows, CHUNK)) {
    await trx
      .insertInto('outbox')
      .values(chunk)
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }
}

/** Messages as JSON beside what they are found by, on SQLite or PostgreSQL. */
export class SqlOutboxStore implements OutboxStore {
  readonly #engine: AlertEngine;

  constructor(engine: AlertEngine) {
    this.#engine = engine;
  }

  async enqueue(notifications: readonly Notification[]): Promise<void> {
    if (notifications.length === 0) return;
    await this.#engine.transact((trx) => enqueueNotifications(trx, notifications));
  }

  async due(now: Instant, limit: number): Promise<Pending[]> {
    const { db } = this.#engine;
    const { rows } = await sql<DueRow>`
      WITH due AS (
        SELECT DISTINCT receiver, group_hash FROM outbox
        WHERE next_at IS NOT NULL AND next_at <= ${now}
      ), waiting AS (
        SELECT o.seq, row_number() OVER (PARTITION BY o.receiver ORDER BY o.seq) AS place
        FROM due JOIN outbox o ON o.receiver = due.receiver AND o.group_hash = due.group_hash
        WHERE o.next_at IS NOT NULL
      )
      SELECT o.id, o.attempts, o.next_at, o.error, o.body
      FROM waiting JOIN outbox o ON o.seq = waiting.seq
      WHERE waiting.place <= ${limit} ORDER BY o.seq`.execute(db);
    const done = await this.#deliveriesOf(rows.map(({ id }) => id));
    return rows.map((row) => ({
      notification: notificationFromJson(JSON.parse(row.body)),
      attempts: Number(row.attempts),
      nextAt: Number(row.next_at),
      lastError: row.error,
      done: done.get(row.id) ?? [],
    }));
  }

  async record(
    notification: string,
    { deliveries, retryAt, error }: Parameters<OutboxStore['record']>[1],
  ): Promise<void> {
    await this.#engine.transact(async (trx) => {
      if (deliveries.length > 0) {
        const rows = deliveries.map(({ destination, outcome, at, why }) => ({
          notification,
          destination: withoutNul(destination),
          outcome,
          at,
          why: withoutNul(why),
        }));
        await trx
          .insertInto('outbox_delivery')
          .values([...new Map(rows.map((row) => [row.destination, row])).values()])
          .onConflict((conflict) => conflict.columns(['notification', 'destination']).doNothing())
          .execute();
      }
      await trx
        .updateTable('outbox')
        .set({
          next_at: retryAt ?? null,
          ...(error === '' ? {} : { error: withoutNul(error), attempts: sql`attempts + 1` }),
        })
        .where('id', '=', notification)
        // What is finished stays so, whatever a sender that lost its lease has to say.
        .where('next_at', 'is not', null)
        .execute();
    });
  }

  async deliveries(notification: string): ReturnType<OutboxStore['deliveries']> {
    const row = await this.#engine.db
      .selectFrom('outbox')
      .select('next_at')
      .where('id', '=', notification)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const deliveries = await this.#deliveriesOf([notification]);
    return { finished: row.next_at === null, deliveries: deliveries.get(notification) ?? [] };
  }

  async thread(groupKey: string, destination: string): Promise<string | undefined> {
    const row = await this.#engine.db
      .selectFrom('outbox_thread')
      .select('value')
      .where('id', '=', hashOf([groupKey, destination]))
      .executeTakeFirst();
    return row?.value;
  }

  async keepThread(
    groupKey: string,
    destination: string,
    value: string,
    at: Instant,
  ): Promise<void> {
    await this.#engine.db
      .insertInto('outbox_thread')
      .values({ id: hashOf([groupKey, destination]), value, at })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ value, at }))
      .execute();
  }

  async pause(destination: string, until: Instant): Promise<void> {
    await this.#engine.db
      .insertInto('outbox_pause')
      .values({ destination: withoutNul(destination), until })
      .onConflict((conflict) =>
        conflict
          .column('destination')
          .doUpdateSet({ until })
          .where('outbox_pause.until', '<', until),
      )
      .execute();
  }

  async pauses(now: Instant): Promise<ReadonlyMap<string, Instant>> {
    const rows = await this.#engine.db
      .selectFrom('outbox_pause')
      .selectAll()
      .where('until', '>', now)
      .execute();
    return new Map(rows.map(({ destination, until }) => [destination, Number(until)]));
  }

  async status(): ReturnType<OutboxStore['status']> {
    const { db } = this.#engine;
    const sum = await db
      .selectFrom('outbox')
      .select((eb) => [eb.fn.countAll<bigint>().as('waiting'), eb.fn.min('at').as('oldest')])
      .where('next_at', 'is not', null)
      .executeTakeFirstOrThrow();
    const failing = await db
      .selectFrom('outbox')
      .select(['receiver', 'error'])
      .where('next_at', 'is not', null)
      .where('error', '!=', '')
      .where('seq', 'in', (eb) =>
        eb
          .selectFrom('outbox')
          .select(({ fn }) => fn.min('seq').as('seq'))
          .where('next_at', 'is not', null)
          .where('error', '!=', '')
          .groupBy('receiver'),
      )
      .orderBy('receiver')
      .limit(FAILING_MAX)
      .execute();
    const oldest = sum.oldest as bigint | number | null;
    return {
      waiting: Number(sum.waiting),
      oldestAt: oldest === null ? undefined : Number(oldest),
      failing: failing.map(({ receiver, error }) => ({ receiver, error })),
    };
  }

  async forget(before: Instant): Promise<number> {
    return this.#engine.transact(async (trx) => {
      const finished = trx
        .selectFrom('outbox')
        .select('id')
        .where('next_at', 'is', null)
        .where('at', '<', before);
      await trx.deleteFrom('outbox_delivery').where('notification', 'in', finished).execute();
      const { numDeletedRows: messages } = await trx
        .deleteFrom('outbox')
        .where('next_at', 'is', null)
        .where('at', '<', before)
        .executeTakeFirstOrThrow();
      await trx.deleteFrom('outbox_thread').where('at', '<', before).execute();
      await trx.deleteFrom('outbox_pause').where('until', '<', before).execute();
      return Number(messages);
    });
  }

  async #deliveriesOf(ids: readonly string[]): Promise<Map<string, Delivery[]>> {
    const found = new Map<string, Delivery[]>();
    for (const chunk of inChunks(ids, CHUNK)) {
      const rows = await this.#engine.db
        .selectFrom('outbox_delivery')
        .selectAll()
        .where('notification', 'in', chunk)
        .orderBy('at')
        .orderBy('destination')
        .execute();
      for (const row of rows) {
        const list = found.get(row.notification) ?? [];
        if (list.length === 0) found.set(row.notification, list);
        list.push(deliveryFromRow(row));
      }
    }
    return found;
  }
}
