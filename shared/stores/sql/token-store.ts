import { Kysely, PostgresDialect, type Selectable } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import type { Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { StoredToken, TokenScope, TokenStore } from '../token-store.ts';
import type { PostgresConfig } from './config.ts';
import { openSqlite } from './open-sqlite.ts';
import { type Connections, openPostgresPool } from './postgres-pool.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { TOKEN_SCHEMA, type TokenTables } from './token-schema.ts';

type Row = Selectable<TokenTables['api_token']>;

function instant(value: bigint | number | null): Instant | undefined {
  return value === null ? undefined : Number(value);
}

function fromRow(row: Row): StoredToken {
  return {
    id: row.id,
    secretHash: row.secret_hash,
    label: row.label,
    scopes: JSON.parse(row.scopes) as TokenScope[],
    projects: row.projects === null ? undefined : (JSON.parse(row.projects) as ProjectId[]),
    createdAt: Number(row.created_at),
    expiresAt: instant(row.expires_at),
    lastUsedAt: instant(row.last_used_at),
    revokedAt: instant(row.revoked_at),
  };
}

/** Tokens in one table, on SQLite or PostgreSQL. Disposing closes the connection. */
export class SqlTokenStore implements TokenStore {
  readonly #db: Kysely<TokenTables>;

  constructor(db: Kysely<TokenTables>) {
    this.#db = db;
  }

  async create(token: Omit<StoredToken, 'lastUsedAt' | 'revokedAt'>): Promise<void> {
    const { projects, expiresAt } = token;
    const { numInsertedOrUpdatedRows: inserted } = await this.#db
      .insertInto('api_token')
      .values({
        id: token.id,
        secret_hash: token.secretHash,
        label: token.label.toWellFormed(),
        scopes: JSON.stringify(token.scopes),
        projects: projects === undefined ? null : JSON.stringify(projects),
        created_at: token.createdAt,
        expires_at: expiresAt ?? null,
        last_used_at: null,
        revoked_at: null,
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirstOrThrow();
    if (inserted !== 1n) throw new AppError('CONFLICT', `there is a token ${token.id} already`);
  }

  async list(): Promise<StoredToken[]> {
    const rows = await this.#db
      .selectFrom('api_token')
      .selectAll()
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map(fromRow);
  }

  async usable(now: Instant): Promise<StoredToken[]> {
    const rows = await this.#db
      .selectFrom('api_token')
      .selectAll()
      .where('revoked_at', 'is', null)
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map(fromRow);
  }

  async isEmpty(): Promise<boolean> {
    const row = await this.#db.selectFrom('api_token').select('id').limit(1).executeTakeFirst();
    return row === undefined;
  }

  async revoke(id: string, at: Instant): Promise<'revoked' | 'already-revoked' | 'unknown'> {
    const { numUpdatedRows } = await this.#db
      .updateTable('api_token')
      .set({ revoked_at: at })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 1n) return 'revoked';
    const row = await this.#db
      .selectFrom('api_token')
      .select('id')
      .where('id', '=', id)
      .executeTakeFirst();
    return row === undefined ? 'unknown' : 'already-revoked';
  }

  async used(uses: ReadonlyMap<string, Instant>): Promise<void> {
    if (uses.size === 0) return;
    await this.#db.transaction().execute(async (trx) => {
      for (const [id, at] of uses) {
        await trx
          .updateTable('api_token')
          .set({ last_used_at: at })
          .where('id', '=', id)
          .where((where) =>
            where.or([where('last_used_at', 'is', null), where('last_used_at', '<', at)]),
          )
          .execute();
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db.destroy();
  }
}

/**
 * Tokens in a SQLite file of their own, which several processes may have open at once.
 *
 * @throws AppError STORE_UNAVAILABLE or DISK_FULL
 */
export async function openSqliteTokenStore({
  file,
}: {
  readonly file: string;
}): Promise<TokenStore> {
  const database = openSqlite({ file, schema: TOKEN_SCHEMA });
  return new SqlTokenStore(new Kysely<TokenTables>({ dialect: sqliteDialect(database, file) }));
}

/** As openPostgresTokenStore, on a pool that is there; closing the store closes it. */
export function tokensOnPool(pool: Connections): TokenStore {
  return new SqlTokenStore(new Kysely<TokenTables>({ dialect: new PostgresDialect({ pool }) }));
}

/** Tokens beside the ledger on PostgreSQL, for every process. */
export async function openPostgresTokenStore(config: PostgresConfig): Promise<TokenStore> {
  return tokensOnPool(openPostgresPool({ ...config, poolSize: Math.min(config.poolSize, 2) }));
}
