import type { SqliteSchema } from './open-sqlite.ts';

/**
 * `log.id` is the event's time and a counter (log-row-id.ts); `shift` is what the exact time differs
 * from it, mostly 0, which takes no room. Texts that repeat are ids of `name`.
 * `words` has no copy of the text and no positions: phrases are checked on the hits. That takes half
 * the room of the usual index.
 */
export const LOG_SCHEMA: SqliteSchema = {
  name: 'log',
  applicationId: 0x746c6f67,
  migrations: [
    `
    CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE log (
      id INTEGER PRIMARY KEY,
      shift INTEGER NOT NULL,
      project INTEGER NOT NULL,
      cluster INTEGER NOT NULL,
      application INTEGER NOT NULL,
      container INTEGER NOT NULL,
      level INTEGER NOT NULL,
      logger INTEGER NOT NULL,
      marks INTEGER NOT NULL,
      fingerprint BLOB NOT NULL,
      thread TEXT NOT NULL,
      message TEXT NOT NULL,
      record_id TEXT
    ) STRICT;
    CREATE VIRTUAL TABLE words USING fts5(
      text, content='', detail=none, columnsize=0, tokenize="unicode61 remove_diacritics 0"
    );
    CREATE TABLE record_id (project TEXT, id TEXT, PRIMARY KEY (project, id)) STRICT, WITHOUT ROWID;
    CREATE TABLE checkpoint (source TEXT PRIMARY KEY, position TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE volume (
      project INTEGER, hour INTEGER, records INTEGER NOT NULL, bytes INTEGER NOT NULL,
      PRIMARY KEY (project, hour)
    ) STRICT, WITHOUT ROWID;
    `,
  ],
};
