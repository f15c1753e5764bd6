import type { ColumnType, Generated } from 'kysely';
import { ENFORCEMENT_SQLITE, type EnforcementTables } from './enforcement-schema.ts';
import type { LedgerTables } from './ledger-schema.ts';
import type { SqliteSchema } from './open-sqlite.ts';

/** Read as bigint from both engines, written as either. */
type Int = ColumnType<bigint | number, bigint | number, bigint | number>;
type NullableInt = ColumnType<bigint | number | null, bigint | number | null>;
/** JSON, in which NUL and halves of surrogate pairs are escaped. */
type Json = string;

/** State of alerts and what is told of it; on PostgreSQL beside the ledger. */
export interface AlertTables extends Pick<LedgerTables, 'lease'>, EnforcementTables {
  alert: {
    id: string;
    rule: string;
    /** '' for the platform's own. */
    project: string;
    state: string;
    active_since: Int;
    /** Null while it is pending or firing. */
    ended_at: NullableInt;
    body: Json;
  };
  /** Rises with each save, so that a reader knows whether to read again. */
  alert_revision: { one: number; revision: Int };
  alert_transition: {
    alert: string;
    at: Int;
    episode: Int;
    from_state: string;
    to_state: string;
    why: string;
  };
  rule_health: {
    rule: string;
    rule_version: string;
    evaluated_at: Int;
    outcome: string;
    why: string;
    duration_ms: number;
  };
  outbox: {
    seq: Generated<bigint | number>;
    id: string;
    receiver: string;
    /** Hash of the group key, which holds labels and may be long. */
    group_hash: string;
    project: string;
    at: Int;
    attempts: Int;
    /** When to try it (again); null once it is finished. */
    next_at: NullableInt;
    error: string;
    body: Json;
  };
  outbox_delivery: {
    notification: string;
    destination: string;
    outcome: string;
    at: Int;
    why: string;
  };
  outbox_thread: { id: string; value: string; at: Int };
  outbox_pause: { destination: string; until: Int };
  silence: { id: string; project: string; ends_at: Int; body: Json };
  /** What receivers were told last, a row a group. */
  notified_group: { id: string; at: Int; body: Json };
  /** Whether an alert is told of, and what keeps it from that. */
  alert_status: { alert: string; body: Json };
}

const FIRST_SQLITE = `
CREATE TABLE lease (
  name TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL, until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alert (
  id TEXT PRIMARY KEY, rule TEXT NOT NULL, project TEXT NOT NULL, state TEXT NOT NULL,
  active_since INTEGER NOT NULL, ended_at INTEGER, body TEXT NOT NULL
) STRICT;
CREATE INDEX alert_ended ON alert (ended_at);
CREATE INDEX alert_since ON alert (active_since);
CREATE INDEX alert_project ON alert (project, active_since);
CREATE INDEX alert_rule ON alert (rule, active_since);
CREATE TABLE alert_revision (
  one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL
) STRICT;
INSERT INTO alert_revision VALUES (1, 0);
CREATE TABLE alert_transition (
  alert TEXT NOT NULL, at INTEGER NOT NULL, episode INTEGER NOT NULL, from_state TEXT NOT NULL,
  to_state TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (alert, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_transition_at ON alert_transition (at);
CREATE TABLE rule_health (
  rule TEXT PRIMARY KEY, rule_version TEXT NOT NULL, evaluated_at INTEGER NOT NULL,
  outcome TEXT NOT NULL, why TEXT NOT NULL, duration_ms REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, receiver TEXT NOT NULL,
  group_hash TEXT NOT NULL, project TEXT NOT NULL, at INTEGER NOT NULL, attempts INTEGER NOT NULL,
  next_at INTEGER, error TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_group ON outbox (receiver, group_hash, seq) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_at ON outbox (at);
CREATE TABLE outbox_delivery (
  notification TEXT NOT NULL, destination TEXT NOT NULL, outcome TEXT NOT NULL,
  at INTEGER NOT NULL, why TEXT NOT NULL, PRIMARY KEY (notification, destination)
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox_thread (
  id TEXT PRIMARY KEY, value TEXT NOT NULL, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox_pause (
  destination TEXT PRIMARY KEY, until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE silence (
  id TEXT PRIMARY KEY, project TEXT NOT NULL, ends_at INTEGER NOT NULL, body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX silence_ends ON silence (ends_at);
CREATE TABLE notified_group (
  id TEXT PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE alert_status (alert TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** The same tables on PostgreSQL, where the ledger's leases fence their writes. */
export const ALERT_POSTGRES = `
CREATE TABLE alert (
  id text COLLATE "C" PRIMARY KEY, rule text COLLATE "C" NOT NULL,
  project text COLLATE "C" NOT NULL, state text COLLATE "C" NOT NULL,
  active_since bigint NOT NULL, ended_at bigint, body text COLLATE "C" NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX alert_ended ON alert (ended_at);
CREATE INDEX alert_since ON alert (active_since);
CREATE INDEX alert_project ON alert (project, active_since);
CREATE INDEX alert_rule ON alert (rule, active_since);
CREATE TABLE alert_revision (one integer PRIMARY KEY CHECK (one = 1), revision bigint NOT NULL)
  WITH (fillfactor = 20);
INSERT INTO alert_revision VALUES (1, 0);
CREATE TABLE alert_transition (
  alert text COLLATE "C" NOT NULL, at bigint NOT NULL, episode bigint NOT NULL,
  from_state text COLLATE "C" NOT NULL, to_state text COLLATE "C" NOT NULL,
  why text COLLATE "C" NOT NULL, PRIMARY KEY (alert, at)
);
CREATE INDEX alert_transition_at ON alert_transition (at);
CREATE TABLE rule_health (
  rule text COLLATE "C" PRIMARY KEY, rule_version text COLLATE "C" NOT NULL,
  evaluated_at bigint NOT NULL, outcome text COLLATE "C" NOT NULL,
  why text COLLATE "C" NOT NULL, duration_ms double precision NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE outbox (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE,
  receiver text COLLATE "C" NOT NULL, group_hash text COLLATE "C" NOT NULL,
  project text COLLATE "C" NOT NULL, at bigint NOT NULL, attempts bigint NOT NULL, next_at bigint,
  error text COLLATE "C" NOT NULL, body text COLLATE "C" NOT NULL
);
CREATE INDEX outbox_due ON outbox (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_group ON outbox (receiver, group_hash, seq) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_at ON outbox (at);
CREATE TABLE outbox_delivery (
  notification text COLLATE "C" NOT NULL, destination text COLLATE "C" NOT NULL,
  outcome text COLLATE "C" NOT NULL, at bigint NOT NULL, why text COLLATE "C" NOT NULL,
  PRIMARY KEY (notification, destination)
);
CREATE TABLE outbox_thread (
  id text COLLATE "C" PRIMARY KEY, value text COLLATE "C" NOT NULL, at bigint NOT NULL
);
CREATE TABLE outbox_pause (destination text COLLATE "C" PRIMARY KEY, until bigint NOT NULL);

CREATE TABLE silence (
  id text COLLATE "C" PRIMARY KEY, project text COLLATE "C" NOT NULL, ends_at bigint NOT NULL,
  body text COLLATE "C" NOT NULL
);
CREATE INDEX silence_ends ON silence (ends_at);
CREATE TABLE notified_group (
  id text COLLATE "C" PRIMARY KEY, at bigint NOT NULL, body text COLLATE "C" NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE alert_status (
  alert text COLLATE "C" PRIMARY KEY, body text COLLATE "C" NOT NULL
) WITH (fillfactor = 70);
`;

/**
 * The file `alerts.db`. Other parts of the alerter that write beside the alerts append their scripts
 * here, and their PostgreSQL twins to POSTGRES_MIGRATIONS.
 */
export const ALERT_SCHEMA: SqliteSchema = {
  name: 'alerts',
  // "TGAl"
  applicationId: 0x5447416c,
  migrations: [FIRST_SQLITE, ENFORCEMENT_SQLITE],
};
