import type { ColumnType } from 'kysely';
import type { SqliteSchema } from './open-sqlite.ts';

type Int = ColumnType<bigint | number, bigint | number, bigint | number>;
type NullableInt = ColumnType<bigint | number | null, bigint | number | null>;

/** The table of API tokens; the same on SQLite and PostgreSQL. */
export interface TokenTables {
  api_token: {
    id: string;
    secret_hash: string;
    label: string;
    /** JSON array. */
    scopes: string;
    /** JSON array; null for all projects. */
    projects: string | null;
    created_at: Int;
    expires_at: NullableInt;
    last_used_at: NullableInt;
    revoked_at: NullableInt;
  };
}

export const TOKEN_SCHEMA: SqliteSchema = {
  name: 'token',
  // "TGTk"
  applicationId: 0x5447546b,
  migrations: [
    `
    CREATE TABLE api_token (
      id TEXT PRIMARY KEY, secret_hash TEXT NOT NULL, label TEXT NOT NULL, scopes TEXT NOT NULL,
      projects TEXT, created_at INTEGER NOT NULL, expires_at INTEGER, last_used_at INTEGER,
      revoked_at INTEGER
    ) STRICT, WITHOUT ROWID;
    `,
  ],
};

/** The same table on PostgreSQL. */
export const TOKEN_POSTGRES = `
CREATE TABLE IF NOT EXISTS api_token (
  id TEXT PRIMARY KEY, secret_hash TEXT NOT NULL, label TEXT NOT NULL, scopes TEXT NOT NULL,
  projects TEXT, created_at BIGINT NOT NULL, expires_at BIGINT, last_used_at BIGINT,
  revoked_at BIGINT
);
`;
