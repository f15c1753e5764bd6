import type { Kysely } from 'kysely';
import { chargeRevision } from '../../contracts/charge.ts';
import type { Instant } from '../../values/instant.ts';
import { applicationKey, containerKey } from '../journal.ts';
import type { Fence } from '../lease.ts';
import type {
  DueContainer,
  FixedRateCard,
  LedgerWriter,
  NetCharge,
  SettledApplication,
  Settlement,
} from '../ledger-writer.ts';
import { applicationStateOf } from './application-row.ts';
import { chargeOfRow } from './charge-row.ts';
import { checkFence } from './check-fence.ts';
import { closedUntil } from './closed-until.ts';
import { fixRateCards } from './fix-rate-cards.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { settle } from './settle.ts';

const CHUNK = 200;

export class SqlLedgerWriter implements LedgerWriter {
  readonly #engine: LedgerEngine;
  readonly #db: Kysely<LedgerTables>;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
    this.#db = engine.db;
  }

  shards(): Promise<number> {
    return this.#engine.shards();
  }

  async cursor(shard: number): Promise<number> {
    const row = await this.#db
      .selectFrom('shard')
      .select('cursor')
      .where('shard', '=', shard)
      .executeTakeFirstOrThrow();
    return Number(row.cursor);
  }

  async inForce(
    refs: readonly { cluster: string; container: string }[],
    from: Instant,
  ): Promise<Map<string, NetCharge[]>> {
    const nets = new Map<string, Map<string, NetCharge>>();
    for (const [cluster, members] of Map.groupBy(refs, (ref) => ref.cluster)) {
      for (const chunk of inChunks(members, CHUNK)) {
        const rows = await this.#db
          .selectFrom('charge')
          .innerJoin('tag_set', 'tag_set.id', 'charge.tag_set')
          .selectAll('charge')
          .select('tag_set.body as tags')
          .where('cluster', '=', cluster)
          .where(
            'container',
            'in',
            chunk.map(({ container }) => container),
          )
          .where('hour', '>=', from)
          .execute();
        for (const row of rows) {
          const charge = chargeOfRow(row);
          const revision = chargeRevision(charge.id);
          const lines = nets.get(containerKey(charge)) ?? new Map<string, NetCharge>();
          nets.set(containerKey(charge), lines);
          const line = `${charge.hour}/${charge.step}/${charge.kind}`;
          const last = lines.get(line);
          if (last === undefined || revision >= last.revision) {
            lines.set(line, { charge, revision: revision + 1 });
          }
        }
      }
    }
    return new Map([...nets].map(([key, lines]) => [key, [...lines.values()]]));
  }

  fixRateCards(cards: readonly FixedRateCard[], at: Instant): Promise<void> {
    return this.#engine.transact((trx) => fixRateCards(trx, cards, at));
  }

  closedUntil(): Promise<Instant | undefined> {
    return closedUntil(this.#db);
  }

  async applications(
    refs: readonly { cluster: string; application: string }[],
  ): Promise<Map<string, SettledApplication>> {
    const settled = new Map<string, SettledApplication>();
    for (const [cluster, members] of Map.groupBy(refs, (ref) => ref.cluster)) {
      for (const chunk of inChunks(members, CHUNK)) {
        const rows = await this.#db
          .selectFrom('application')
          .selectAll()
          .where('cluster', '=', cluster)
          .where(
            'application',
            'in',
            chunk.map(({ application }) => application),
          )
          .execute();
        for (const row of rows) {
          const state = applicationStateOf(row);
          settled.set(applicationKey(row), { state, restated: Number(row.restated) });
        }
      }
    }
    return settled;
  }

  async due(now: Instant, limit: number, shard: number): Promise<DueContainer[]> {
    const rows = await this.#db
      .selectFrom('container')
      .select(['cluster', 'container', 'charged_until'])
      .where('shard', '=', shard)
      .where('next_at', '<=', now)
      .orderBy('next_at')
      .orderBy('cluster')
      .orderBy('container')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      cluster: row.cluster,
      container: row.container,
      chargedUntil: row.charged_until === null ? undefined : Number(row.charged_until),
    }));
  }

  async settle(settlement: Settlement, fence?: Fence): Promise<void> {
    const hours = settlement.charges.map(({ hour }) => hour);
    await this.#engine.makeMonths('charge', hours);
    // Before the transaction, which may have the only connection.
    const shards = await this.#engine.shards();
    await this.#engine.transact(async (trx) => {
      if (fence !== undefined) await checkFence(trx, fence, this.#engine);
      await settle(trx, settlement, { engine: this.#engine, shards });
    });
  }

  /** The connection is the ledger's, which closes it. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
