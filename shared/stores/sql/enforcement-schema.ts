import type { ColumnType } from 'kysely';

/** Read as bigint from both engines, written as either. */
type Int = ColumnType<bigint | number, bigint | number, bigint | number>;
type NullableInt = ColumnType<bigint | number | null, bigint | number | null>;
/** JSON, in which NUL and halves of surrogate pairs are escaped. */
type Json = string;

/** What enforcement keeps, beside the alerts. `seq` is the chain's entry that a row came with. */
export interface EnforcementTables {
  /** One row, whose lock every writer takes first: the head of the chain. */
  enforcement_state: {
    one: number;
    seq: Int;
    hash: string;
    steady_ms: Int;
    wall_max: Int;
    live: Json;
    brake: Json | null;
  };
  enforcement_action: {
    id: string;
    seq: Int;
    /** 1 while it isn't final. */
    open: Int;
    state: string;
    alert: string;
    episode: Int;
    project: string;
    version: Int;
    body: Json;
  };
  /** Rows are never deleted: a key is used once for ever. */
  enforcement_intent: { key: string; at: Int; steady_ms: Int; body: Json };
  enforcement_level: { id: string; seq: Int; policy: string; level: string; body: Json };
  enforcement_switch: { id: string; seq: Int; body: Json };
  enforcement_exemption: { id: string; expires_at: Int; revoked_at: NullableInt; body: Json };
  enforcement_history: {
    seq: Int;
    at: Int;
    kind: string;
    action: string;
    body: Json;
    previous: string;
    hash: string;
  };
}

const START = `INSERT INTO enforcement_state VALUES (1, 0, '${'0'.repeat(64)}', 0, 0, '{}', NULL);`;

export const ENFORCEMENT_SQLITE = `
CREATE TABLE enforcement_state (
  one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL,
  steady_ms INTEGER NOT NULL, wall_max INTEGER NOT NULL, live TEXT NOT NULL, brake TEXT
) STRICT;
${START}
CREATE TABLE enforcement_action (
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, open INTEGER NOT NULL, state TEXT NOT NULL,
  alert TEXT NOT NULL, episode INTEGER NOT NULL, project TEXT NOT NULL, version INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX enforcement_action_open ON enforcement_action (seq) WHERE open = 1;
CREATE INDEX enforcement_action_alert ON enforcement_action (alert, episode, seq);
CREATE INDEX enforcement_action_project ON enforcement_action (project, seq);
CREATE INDEX enforcement_action_seq ON enforcement_action (seq);
CREATE TABLE enforcement_intent (
  key TEXT PRIMARY KEY, at INTEGER NOT NULL, steady_ms INTEGER NOT NULL, body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX enforcement_intent_at ON enforcement_intent (at);
CREATE INDEX enforcement_intent_steady ON enforcement_intent (steady_ms);
CREATE TABLE enforcement_level (
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, policy TEXT NOT NULL, level TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE TABLE enforcement_switch (
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE enforcement_exemption (
  id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, revoked_at INTEGER, body TEXT NOT NULL
) STRICT;
CREATE INDEX enforcement_exemption_end ON enforcement_exemption (expires_at);
CREATE TABLE enforcement_history (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, action TEXT NOT NULL,
  body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE INDEX enforcement_history_action ON enforcement_history (action, seq) WHERE action != '';
`;

/** The same tables on PostgreSQL, where the ledger's leases fence their writes. */
export const ENFORCEMENT_POSTGRES = `
CREATE TABLE enforcement_state (
  one integer PRIMARY KEY CHECK (one = 1), seq bigint NOT NULL, hash text COLLATE "C" NOT NULL,
  steady_ms bigint NOT NULL, wall_max bigint NOT NULL, live text COLLATE "C" NOT NULL,
  brake text COLLATE "C"
) WITH (fillfactor = 20);
${START}
CREATE TABLE enforcement_action (
  id text COLLATE "C" PRIMARY KEY, seq bigint NOT NULL, open bigint NOT NULL,
  state text COLLATE "C" NOT NULL, alert text COLLATE "C" NOT NULL, episode bigint NOT NULL,
  project text COLLATE "C" NOT NULL, version bigint NOT NULL, body text COLLATE "C" NOT NULL
);
CREATE INDEX enforcement_action_open ON enforcement_action (seq) WHERE open = 1;
CREATE INDEX enforcement_action_alert ON enforcement_action (alert, episode, seq);
CREATE INDEX enforcement_action_project ON enforcement_action (project, seq);
CREATE INDEX enforcement_action_seq ON enforcement_action (seq);
CREATE TABLE enforcement_intent (
  key text COLLATE "C" PRIMARY KEY, at bigint NOT NULL, steady_ms bigint NOT NULL,
  body text COLLATE "C" NOT NULL
);
CREATE INDEX enforcement_intent_at ON enforcement_intent (at);
CREATE INDEX enforcement_intent_steady ON enforcement_intent (steady_ms);
CREATE TABLE enforcement_level (
  id text COLLATE "C" PRIMARY KEY, seq bigint NOT NULL, policy text COLLATE "C" NOT NULL,
  level text COLLATE "C" NOT NULL, body text COLLATE "C" NOT NULL
);
CREATE TABLE enforcement_switch (
  id text COLLATE "C" PRIMARY KEY, seq bigint NOT NULL, body text COLLATE "C" NOT NULL
);
CREATE TABLE enforcement_exemption (
  id text COLLATE "C" PRIMARY KEY, expires_at bigint NOT NULL, revoked_at bigint,
  body text COLLATE "C" NOT NULL
);
CREATE INDEX enforcement_exemption_end ON enforcement_exemption (expires_at);
CREATE TABLE enforcement_history (
  seq bigint PRIMARY KEY, at bigint NOT NULL, kind text COLLATE "C" NOT NULL,
  action text COLLATE "C" NOT NULL, body text COLLATE "C" NOT NULL,
  previous text COLLATE "C" NOT NULL, hash text COLLATE "C" NOT NULL
);
CREATE INDEX enforcement_history_action ON enforcement_history (action, seq) WHERE action != '';
`;
