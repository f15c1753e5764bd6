import { ALERT_POSTGRES } from './alert-schema.ts';
import { ENFORCEMENT_POSTGRES } from './enforcement-schema.ts';
import { GRANT_POSTGRES } from './grant-schema.ts';
import { PERIOD_POSTGRES } from './period-schema.ts';
import { QUOTE_POSTGRES } from './quote-schema.ts';
import { TOKEN_POSTGRES } from './token-schema.ts';
import { REFUSED_INDEX, WATCH_INDEXES } from './watch-schema.ts';
import { WITNESS_POSTGRES } from './witness-schema.ts';

/**
 * SQL scripts, applied once each, in order, in the schema of the search path; table `migration`
 * counts them. Only ever appended to.
 *
 * Text is COLLATE "C" (by bytes): order and comparison are SQLite's and JavaScript's, whatever the
 * database was made with. Facts and charges are partitioned by the month of their event time, which
 * follows from a charge's id; `month_…` partitions are made by MonthPartitions.
 */
const FIRST = `
CREATE TABLE meta (name text COLLATE "C" PRIMARY KEY, value bigint NOT NULL);
INSERT INTO meta (name, value) VALUES ('cursor', 0), ('as_of', 0);

CREATE SEQUENCE fact_seq;
CREATE TABLE fact (
  seq bigint NOT NULL DEFAULT nextval('fact_seq'), month integer NOT NULL,
  cluster text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
  topic text COLLATE "C" NOT NULL, subject text COLLATE "C" NOT NULL,
  at bigint NOT NULL, stored_at bigint NOT NULL, body text COLLATE "C" NOT NULL,
  UNIQUE (cluster, id, month)
) PARTITION BY LIST (month);
CREATE INDEX fact_order ON fact (seq);
CREATE INDEX fact_subject ON fact (cluster, topic, subject, at);

CREATE TABLE evidence (
  cluster text COLLATE "C" NOT NULL, container text COLLATE "C" NOT NULL, until bigint NOT NULL,
  stored_at bigint NOT NULL, PRIMARY KEY (cluster, container)
);

CREATE TABLE activity (
  cluster text COLLATE "C" NOT NULL, application text COLLATE "C" NOT NULL,
  attempt text COLLATE "C" NOT NULL, at bigint NOT NULL,
  slot_ms bigint NOT NULL, useful_ms bigint NOT NULL, wasted_ms bigint NOT NULL,
  idle_ms bigint NOT NULL, tail_ms bigint NOT NULL, start_up_ms bigint NOT NULL,
  PRIMARY KEY (cluster, application, attempt)
);

CREATE TABLE checkpoint (
  source text COLLATE "C" PRIMARY KEY, position text COLLATE "C" NOT NULL
);
CREATE TABLE source_checkpoint (
  source text COLLATE "C" PRIMARY KEY, position text COLLATE "C" NOT NULL, saved_at bigint NOT NULL
);

CREATE TABLE price_epoch (
  pool text COLLATE "C" NOT NULL, start bigint NOT NULL, id text COLLATE "C" NOT NULL,
  step bigint NOT NULL, rule_version text COLLATE "C" NOT NULL,
  reason text COLLATE "C" NOT NULL, inputs text COLLATE "C" NOT NULL,
  stored_at bigint NOT NULL, PRIMARY KEY (pool, start)
);

CREATE TABLE tag_set (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text COLLATE "C" NOT NULL,
  -- Unique, by hash: a btree holds no entry as long as a body may be.
  EXCLUDE USING hash (body WITH =)
);

CREATE TABLE charge (
  id text COLLATE "C" NOT NULL, type text COLLATE "C" NOT NULL,
  project text COLLATE "C" NOT NULL, cluster text COLLATE "C" NOT NULL,
  application text COLLATE "C" NOT NULL, container text COLLATE "C" NOT NULL,
  role text COLLATE "C" NOT NULL, hour bigint NOT NULL, step bigint NOT NULL,
  container_ms bigint NOT NULL, millicore_ms bigint NOT NULL, mib_ms bigint NOT NULL,
  gpu_ms bigint NOT NULL, amount bigint NOT NULL,
  rate_card text COLLATE "C" NOT NULL, rule_version text COLLATE "C" NOT NULL,
  coverage text COLLATE "C" NOT NULL, tag_set bigint NOT NULL, stored_at bigint NOT NULL,
  PRIMARY KEY (id, hour)
) PARTITION BY RANGE (hour);
CREATE INDEX charge_container ON charge (cluster, container, hour);
CREATE INDEX charge_project ON charge (project, hour, id);

CREATE TABLE credit_grant (
  id text COLLATE "C" PRIMARY KEY, project text COLLATE "C" NOT NULL, amount bigint NOT NULL,
  reason text COLLATE "C" NOT NULL, granted_at bigint NOT NULL
);
CREATE INDEX credit_grant_project ON credit_grant (project, granted_at);

CREATE TABLE balance (
  project text COLLATE "C" PRIMARY KEY, granted text COLLATE "C" NOT NULL,
  charged text COLLATE "C" NOT NULL, accrued text COLLATE "C" NOT NULL,
  per_hour text COLLATE "C" NOT NULL, unlimited integer NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE container (
  cluster text COLLATE "C" NOT NULL, container text COLLATE "C" NOT NULL,
  application text COLLATE "C" NOT NULL, state text COLLATE "C" NOT NULL,
  start bigint NOT NULL, "end" bigint NOT NULL, coverage text COLLATE "C" NOT NULL,
  witnessed_until bigint NOT NULL,
  millicores bigint NOT NULL, memory_mib bigint NOT NULL, gpus bigint NOT NULL,
  accrued bigint NOT NULL, per_hour bigint NOT NULL, charged_until bigint, next_at bigint,
  PRIMARY KEY (cluster, container)
);
CREATE INDEX container_due ON container (next_at, cluster, container) WHERE next_at IS NOT NULL;
CREATE INDEX container_application ON container (cluster, application, "end");

CREATE TABLE application (
  cluster text COLLATE "C" NOT NULL, application text COLLATE "C" NOT NULL,
  project text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL,
  "user" text COLLATE "C" NOT NULL, queue text COLLATE "C" NOT NULL,
  attempts text COLLATE "C" NOT NULL, tags text COLLATE "C" NOT NULL,
  url text COLLATE "C" NOT NULL, seen bigint NOT NULL, ended bigint,
  state text COLLATE "C" NOT NULL, start bigint NOT NULL,
  running bigint NOT NULL, total bigint NOT NULL, inferred bigint NOT NULL,
  millicores bigint NOT NULL, memory_mib bigint NOT NULL, gpus bigint NOT NULL,
  charged text COLLATE "C" NOT NULL, accrued text COLLATE "C" NOT NULL,
  per_hour text COLLATE "C" NOT NULL,
  PRIMARY KEY (cluster, application)
);
CREATE INDEX application_project ON application (project, start DESC, cluster, application);
CREATE INDEX application_state ON application (project, state, start DESC, cluster, application);

CREATE TABLE lease (
  name text COLLATE "C" PRIMARY KEY, holder text COLLATE "C" NOT NULL, token bigint NOT NULL,
  until bigint NOT NULL
);

CREATE TABLE refused (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE,
  collector text COLLATE "C" NOT NULL, source text COLLATE "C" NOT NULL,
  reason text COLLATE "C" NOT NULL, project text COLLATE "C" NOT NULL,
  observed_at bigint NOT NULL, raw bytea NOT NULL, bytes bigint NOT NULL
);
CREATE INDEX refused_by_reason ON refused (collector, reason);
CREATE TABLE refused_total (one integer PRIMARY KEY CHECK (one = 1), bytes bigint NOT NULL);
INSERT INTO refused_total VALUES (1, 0);
`;

const STOP_ORDERS = `
CREATE TABLE stop_order (
  id text COLLATE "C" PRIMARY KEY, cluster text COLLATE "C" NOT NULL,
  application text COLLATE "C" NOT NULL, within_ms bigint NOT NULL, force integer NOT NULL,
  ordered_by text COLLATE "C" NOT NULL, ordered_at bigint NOT NULL,
  state text COLLATE "C" NOT NULL, clean integer, message text COLLATE "C" NOT NULL,
  updated_at bigint NOT NULL
);
CREATE INDEX stop_order_application ON stop_order (cluster, application, ordered_at);
CREATE INDEX stop_order_open ON stop_order (ordered_at)
  WHERE state NOT IN ('stopped', 'refused');
`;

/**
 * Facts that were stored before don't tell their shard: a ledger that has any stays one. Sixteen are
 * enough for as many meters as a server can feed.
 */
const SHARDS = `
CREATE TABLE shard (
  shard integer PRIMARY KEY, cursor bigint NOT NULL, as_of bigint NOT NULL
) WITH (fillfactor = 20);
CREATE INDEX shard_as_of ON shard (as_of);
INSERT INTO shard
  SELECT n, c.value, a.value
  FROM generate_series(0, CASE WHEN EXISTS (SELECT 1 FROM fact) THEN 0 ELSE 15 END) n,
    meta c, meta a
  WHERE c.name = 'cursor' AND a.name = 'as_of';
DROP TABLE meta;

ALTER TABLE fact ADD COLUMN shard integer NOT NULL DEFAULT 0;
DROP INDEX fact_order;
CREATE INDEX fact_order ON fact (shard, seq);

ALTER TABLE container ADD COLUMN shard integer NOT NULL DEFAULT 0;
DROP INDEX container_due;
CREATE INDEX container_due ON container (shard, next_at, cluster, container)
  WHERE next_at IS NOT NULL;

ALTER TABLE application ADD COLUMN restated bigint NOT NULL DEFAULT 0;
`;

const RESERVATIONS = `
ALTER TABLE balance
  ADD COLUMN reserved text COLLATE "C" NOT NULL DEFAULT '0',
  ADD COLUMN reserved_millicores bigint NOT NULL DEFAULT 0,
  ADD COLUMN millicores bigint NOT NULL DEFAULT 0;
UPDATE balance SET millicores = coalesce(
  (SELECT sum(millicores) FROM application WHERE application.project = balance.project), 0);

CREATE TABLE reservation (
  project text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
  application text COLLATE "C" NOT NULL, body text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL, held bigint NOT NULL, millicores bigint NOT NULL,
  spent text COLLATE "C" NOT NULL DEFAULT '0', running_millicores bigint NOT NULL DEFAULT 0,
  pending bigint NOT NULL, pending_millicores bigint NOT NULL,
  created_at bigint NOT NULL, expires_at bigint NOT NULL, resolved_at bigint,
  PRIMARY KEY (project, id)
);
CREATE INDEX reservation_open ON reservation (project, expires_at) WHERE state = 'held';
CREATE INDEX reservation_project ON reservation (project, created_at DESC, id);

CREATE TABLE reservation_application (
  cluster text COLLATE "C" NOT NULL, application text COLLATE "C" NOT NULL,
  project text COLLATE "C" NOT NULL, reservation text COLLATE "C" NOT NULL,
  spent_before text COLLATE "C" NOT NULL,
  PRIMARY KEY (cluster, application, project)
);
CREATE INDEX reservation_application_of ON reservation_application (project, reservation);

CREATE TABLE usage_reading (
  project text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL,
  part text COLLATE "C" NOT NULL, used text COLLATE "C" NOT NULL, as_of bigint NOT NULL,
  PRIMARY KEY (project, kind, part)
);
`;

const PRICE_STATE = `
CREATE TABLE price_evaluation (
  pool text COLLATE "C" PRIMARY KEY, at bigint NOT NULL, rule_version text COLLATE "C" NOT NULL,
  inputs text COLLATE "C" NOT NULL, stored_at bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE price_freeze (
  id text COLLATE "C" PRIMARY KEY, pool text COLLATE "C" NOT NULL, frozen integer NOT NULL,
  reason text COLLATE "C" NOT NULL, ordered_by text COLLATE "C" NOT NULL, ordered_at bigint NOT NULL
);
CREATE INDEX price_freeze_pool ON price_freeze (pool, ordered_at, id);
`;

const READINGS = `
ALTER TABLE balance ADD COLUMN readings text COLLATE "C" NOT NULL DEFAULT '';
`;

export const POSTGRES_MIGRATIONS: readonly string[] = [
  FIRST,
  TOKEN_POSTGRES,
  STOP_ORDERS,
  SHARDS,
  RESERVATIONS,
  PRICE_STATE,
  WITNESS_POSTGRES,
  READINGS,
  QUOTE_POSTGRES,
  GRANT_POSTGRES,
  PERIOD_POSTGRES,
  ALERT_POSTGRES,
  WATCH_INDEXES,
  REFUSED_INDEX,
  ENFORCEMENT_POSTGRES,
];
