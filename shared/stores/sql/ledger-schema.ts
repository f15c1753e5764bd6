import type { ColumnType, Generated } from 'kysely';
import type { SqliteSchema } from './open-sqlite.ts';
import { PERIOD_SQLITE } from './period-schema.ts';
import { WITNESS_SQLITE } from './witness-schema.ts';

/** Read as bigint from both engines, written as either. */
type Int = ColumnType<bigint | number, bigint | number, bigint | number>;
type NullableInt = ColumnType<bigint | number | null, bigint | number | null>;
/** An exact decimal integer in text: a total has no bound, and no engine's integer fits it. */
type Total = string;

/** Tables of the journal and the ledger; the same on SQLite and PostgreSQL. */
export interface LedgerTables {
  /** One row a shard. */
  shard: { shard: number; cursor: Int; as_of: Int };
  fact: {
    seq: Generated<bigint | number>;
    /** PostgreSQL's alone: the UTC month of `at`, by which it is partitioned. */
    month: ColumnType<number, number | undefined, never>;
    cluster: string;
    id: string;
    topic: string;
    subject: string;
    at: Int;
    stored_at: Int;
    body: string;
    /** The first fact's of its container decides, or its application's. */
    shard: Generated<number>;
  };
  evidence: { cluster: string; container: string; until: Int; stored_at: Int };
  activity: {
    cluster: string;
    application: string;
    attempt: string;
    at: Int;
    slot_ms: Int;
    useful_ms: Int;
    wasted_ms: Int;
    idle_ms: Int;
    tail_ms: Int;
    start_up_ms: Int;
  };
  checkpoint: { source: string; position: string };
  price_epoch: {
    pool: string;
    start: Int;
    id: string;
    step: Int;
    rule_version: string;
    reason: string;
    inputs: string;
    stored_at: Int;
  };
  price_evaluation: {
    pool: string;
    at: Int;
    rule_version: string;
    inputs: string;
    stored_at: Int;
  };
  price_freeze: {
    id: string;
    pool: string;
    frozen: Int;
    reason: string;
    ordered_by: string;
    ordered_at: Int;
  };
  tag_set: { id: Generated<bigint | number>; body: string };
  charge: {
    id: string;
    type: string;
    project: string;
    cluster: string;
    application: string;
    container: string;
    role: string;
    hour: Int;
    step: Int;
    container_ms: Int;
    millicore_ms: Int;
    mib_ms: Int;
    gpu_ms: Int;
    amount: Int;
    rate_card: string;
    rule_version: string;
    coverage: string;
    tag_set: Int;
    stored_at: Int;
    outcome: Generated<string>;
    /** NULL: usage. */
    kind: string | null;
    /** NULL: the month of its hour. */
    booked: string | null;
  };
  rate_card: { id: string; body: string; fixed_at: Int };
  period_close: { month: string; closed_at: Int; closed_by: string };
  lease: { name: string; holder: string; token: Int; until: Int };
  stop_order: {
    id: string;
    cluster: string;
    application: string;
    within_ms: Int;
    force: Int;
    ordered_by: string;
    ordered_at: Int;
    state: string;
    clean: NullableInt;
    message: string;
    updated_at: Int;
  };
  credit_grant: { id: string; project: string; amount: Int; reason: string; granted_at: Int };
  balance: {
    project: string;
    granted: Total;
    charged: Total;
    accrued: Total;
    per_hour: Total;
    unlimited: Int;
    /** The part of `charged` that is inferred. */
    inferred: Generated<Total>;
    /** Of open reservations, those that have run out and nobody swept yet included. */
    reserved: Generated<Total>;
    reserved_millicores: Generated<bigint | number>;
    /** Of running containers. */
    millicores: Generated<bigint | number>;
  };
  reservation: {
    project: string;
    id: string;
    application: string;
    /** What the client asked for, canonical JSON. */
    body: string;
    state: string;
    held: Int;
    millicores: Int;
    /** Charged and accrued of its applications. */
    spent: Generated<Total>;
    running_millicores: Generated<bigint | number>;
    /** What it takes from the balance: held − spent, at least 0; 0 once it isn't held. */
    pending: Int;
    pending_millicores: Int;
    created_at: Int;
    expires_at: Int;
    resolved_at: NullableInt;
  };
  /** The applications that run under a reservation. */
  reservation_application: {
    cluster: string;
    application: string;
    project: string;
    reservation: string;
    /** What the application had cost before. */
    spent_before: Total;
  };
  usage_reading: {
    project: string;
    kind: string;
    part: string;
    used: Total;
    as_of: Int;
  };
  container: {
    cluster: string;
    container: string;
    application: string;
    state: string;
    start: Int;
    end: Int;
    coverage: string;
    witnessed_until: Int;
    millicores: Int;
    memory_mib: Int;
    gpus: Int;
    accrued: Int;
    per_hour: Int;
    charged_until: NullableInt;
    next_at: NullableInt;
    shard: Generated<number>;
    attempt: Generated<string>;
    outcome: Generated<string>;
  };
  application: {
    cluster: string;
    application: string;
    project: string;
    name: string;
    user: string;
    queue: string;
    attempts: string;
    tags: string;
    url: string;
    seen: Int;
    ended: NullableInt;
    state: string;
    start: Int;
    running: Int;
    total: Int;
    inferred: Int;
    millicores: Int;
    memory_mib: Int;
    gpus: Int;
    charged: Total;
    accrued: Total;
    per_hour: Total;
    restated: Generated<bigint | number>;
    /** The part of `charged` that is inferred. */
    inferred_charged: Generated<Total>;
  };
  anomaly: {
    cluster: string;
    /** Whose anomalies are replaced together: a container's, or an application's own. */
    topic: string;
    subject: string;
    anomaly: string;
    fact_id: string;
    application: string;
    project: string;
    at: Int;
    detail: string;
  };
  clock_pair: {
    cluster: string;
    container: string;
    witness: string;
    reference: string;
    host: string;
    at: Int;
    start_ms: NullableInt;
    stop_ms: NullableInt;
  };
}

/**
 * Charges stand in the order of their time-prefixed ids (WITHOUT ROWID): new rows meet at one end of
 * the tree, which measured 3.6 times the rows per second of random ids.
 */
const FIRST = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('cursor', 0), ('as_of', 0);

CREATE TABLE fact (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  cluster TEXT NOT NULL, id TEXT NOT NULL, topic TEXT NOT NULL, subject TEXT NOT NULL,
  at INTEGER NOT NULL, stored_at INTEGER NOT NULL, body TEXT NOT NULL,
  UNIQUE (cluster, id)
) STRICT;
CREATE INDEX fact_subject ON fact (cluster, topic, subject, at);

CREATE TABLE evidence (
  cluster TEXT NOT NULL, container TEXT NOT NULL, until INTEGER NOT NULL,
  stored_at INTEGER NOT NULL, PRIMARY KEY (cluster, container)
) STRICT, WITHOUT ROWID;

CREATE TABLE activity (
  cluster TEXT NOT NULL, application TEXT NOT NULL, attempt TEXT NOT NULL, at INTEGER NOT NULL,
  slot_ms INTEGER NOT NULL, useful_ms INTEGER NOT NULL, wasted_ms INTEGER NOT NULL,
  idle_ms INTEGER NOT NULL, tail_ms INTEGER NOT NULL, start_up_ms INTEGER NOT NULL,
  PRIMARY KEY (cluster, application, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (source TEXT PRIMARY KEY, position TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE price_epoch (
  pool TEXT NOT NULL, start INTEGER NOT NULL, id TEXT NOT NULL, step INTEGER NOT NULL,
  rule_version TEXT NOT NULL, reason TEXT NOT NULL, inputs TEXT NOT NULL,
  stored_at INTEGER NOT NULL, PRIMARY KEY (pool, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag_set (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE charge (
  id TEXT PRIMARY KEY, type TEXT NOT NULL, project TEXT NOT NULL, cluster TEXT NOT NULL,
  application TEXT NOT NULL, container TEXT NOT NULL, role TEXT NOT NULL,
  hour INTEGER NOT NULL, step INTEGER NOT NULL,
  container_ms INTEGER NOT NULL, millicore_ms INTEGER NOT NULL, mib_ms INTEGER NOT NULL,
  gpu_ms INTEGER NOT NULL, amount INTEGER NOT NULL,
  rate_card TEXT NOT NULL, rule_version TEXT NOT NULL, coverage TEXT NOT NULL,
  tag_set INTEGER NOT NULL REFERENCES tag_set (id), stored_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX charge_container ON charge (cluster, container, hour);
CREATE INDEX charge_project ON charge (project, hour);

CREATE TABLE credit_grant (
  id TEXT PRIMARY KEY, project TEXT NOT NULL, amount INTEGER NOT NULL, reason TEXT NOT NULL,
  granted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX credit_grant_project ON credit_grant (project, granted_at);

CREATE TABLE balance (
  project TEXT PRIMARY KEY, granted TEXT NOT NULL, charged TEXT NOT NULL, accrued TEXT NOT NULL,
  per_hour TEXT NOT NULL, unlimited INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE container (
  cluster TEXT NOT NULL, container TEXT NOT NULL, application TEXT NOT NULL,
  state TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, coverage TEXT NOT NULL,
  witnessed_until INTEGER NOT NULL,
  millicores INTEGER NOT NULL, memory_mib INTEGER NOT NULL, gpus INTEGER NOT NULL,
  accrued INTEGER NOT NULL, per_hour INTEGER NOT NULL, charged_until INTEGER, next_at INTEGER,
  PRIMARY KEY (cluster, container)
) STRICT, WITHOUT ROWID;
CREATE INDEX container_due ON container (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX container_application ON container (cluster, application, "end");

CREATE TABLE application (
  cluster TEXT NOT NULL, application TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL,
  user TEXT NOT NULL, queue TEXT NOT NULL, attempts TEXT NOT NULL, tags TEXT NOT NULL,
  url TEXT NOT NULL, seen INTEGER NOT NULL, ended INTEGER, state TEXT NOT NULL,
  start INTEGER NOT NULL, running INTEGER NOT NULL, total INTEGER NOT NULL,
  inferred INTEGER NOT NULL, millicores INTEGER NOT NULL, memory_mib INTEGER NOT NULL,
  gpus INTEGER NOT NULL, charged TEXT NOT NULL, accrued TEXT NOT NULL, per_hour TEXT NOT NULL,
  PRIMARY KEY (cluster, application)
) STRICT;
CREATE INDEX application_project ON application (project, start DESC, cluster, application);
CREATE INDEX application_state ON application (project, state, start DESC, cluster, application);
`;

/** A row stays when its lease is over, so that tokens only rise. */
const LEASES = `
CREATE TABLE lease (
  name TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL, until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

const STOP_ORDERS = `
CREATE TABLE stop_order (
  id TEXT PRIMARY KEY, cluster TEXT NOT NULL, application TEXT NOT NULL, within_ms INTEGER NOT NULL,
  force INTEGER NOT NULL, ordered_by TEXT NOT NULL, ordered_at INTEGER NOT NULL,
  state TEXT NOT NULL, clean INTEGER, message TEXT NOT NULL, updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX stop_order_application ON stop_order (cluster, application, ordered_at);
CREATE INDEX stop_order_open ON stop_order (ordered_at)
  WHERE state NOT IN ('stopped', 'refused');
`;

/** One shard: who embeds the ledger has one meter. */
const SHARDS = `
CREATE TABLE shard (
  shard INTEGER PRIMARY KEY, cursor INTEGER NOT NULL, as_of INTEGER NOT NULL
) STRICT;
INSERT INTO shard
  SELECT 0, c.value, a.value FROM meta c, meta a WHERE c.name = 'cursor' AND a.name = 'as_of';
DROP TABLE meta;
ALTER TABLE fact ADD COLUMN shard INTEGER NOT NULL DEFAULT 0;
ALTER TABLE container ADD COLUMN shard INTEGER NOT NULL DEFAULT 0;
ALTER TABLE application ADD COLUMN restated INTEGER NOT NULL DEFAULT 0;
`;

const RESERVATIONS = `
ALTER TABLE balance ADD COLUMN reserved TEXT NOT NULL DEFAULT '0';
ALTER TABLE balance ADD COLUMN reserved_millicores INTEGER NOT NULL DEFAULT 0;
ALTER TABLE balance ADD COLUMN millicores INTEGER NOT NULL DEFAULT 0;
UPDATE balance SET millicores = coalesce(
  (SELECT sum(millicores) FROM application WHERE application.project = balance.project), 0);

CREATE TABLE reservation (
  project TEXT NOT NULL, id TEXT NOT NULL, application TEXT NOT NULL, body TEXT NOT NULL,
  state TEXT NOT NULL, held INTEGER NOT NULL, millicores INTEGER NOT NULL,
  spent TEXT NOT NULL DEFAULT '0', running_millicores INTEGER NOT NULL DEFAULT 0,
  pending INTEGER NOT NULL, pending_millicores INTEGER NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, resolved_at INTEGER,
  PRIMARY KEY (project, id)
) STRICT;
CREATE INDEX reservation_open ON reservation (project, expires_at) WHERE state = 'held';
CREATE INDEX reservation_project ON reservation (project, created_at DESC, id);

CREATE TABLE reservation_application (
  cluster TEXT NOT NULL, application TEXT NOT NULL, project TEXT NOT NULL,
  reservation TEXT NOT NULL, spent_before TEXT NOT NULL,
  PRIMARY KEY (cluster, application, project)
) STRICT, WITHOUT ROWID;
CREATE INDEX reservation_application_of ON reservation_application (project, reservation);

CREATE TABLE usage_reading (
  project TEXT NOT NULL, kind TEXT NOT NULL, part TEXT NOT NULL, used TEXT NOT NULL,
  as_of INTEGER NOT NULL, PRIMARY KEY (project, kind, part)
) STRICT, WITHOUT ROWID;
`;

/** What the price rule goes on from, and the switches that hold it. */
const PRICE_STATE = `
CREATE TABLE price_evaluation (
  pool TEXT PRIMARY KEY, at INTEGER NOT NULL, rule_version TEXT NOT NULL, inputs TEXT NOT NULL,
  stored_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE price_freeze (
  id TEXT PRIMARY KEY, pool TEXT NOT NULL, frozen INTEGER NOT NULL, reason TEXT NOT NULL,
  ordered_by TEXT NOT NULL, ordered_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX price_freeze_pool ON price_freeze (pool, ordered_at, id);
`;

export const LEDGER_SCHEMA: SqliteSchema = {
  name: 'ledger',
  // "TGLe"
  applicationId: 0x54474c65,
  migrations: [
    FIRST,
    LEASES,
    STOP_ORDERS,
    SHARDS,
    RESERVATIONS,
    PRICE_STATE,
    WITNESS_SQLITE,
    PERIOD_SQLITE,
  ],
};
