import { GRANT_SQLITE } from './grant-schema.ts';
import { PERIOD_SQLITE } from './period-schema.ts';
import { QUOTE_SQLITE } from './quote-schema.ts';
import { WATCH_INDEXES } from './watch-schema.ts';
import { WITNESS_SQLITE } from './witness-schema.ts';

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

const READINGS = `ALTER TABLE balance ADD COLUMN readings TEXT NOT NULL DEFAULT '';`;
const LATER = [
  PRICE_STATE,
  WITNESS_SQLITE,
  READINGS,
  QUOTE_SQLITE,
  GRANT_SQLITE,
  PERIOD_SQLITE,
  WATCH_INDEXES,
];

/** SQL scripts of the ledger's file, applied once each, in order. */
export const SQLITE_MIGRATIONS: readonly string[] = [
  FIRST,
  LEASES,
  STOP_ORDERS,
  SHARDS,
  RESERVATIONS,
  ...LATER,
];
