import type { ColumnType } from 'kysely';

/** Read as bigint from both engines, written as either. */
type Int = ColumnType<bigint | number, bigint | number, bigint | number>;
/** An exact decimal integer in text. */
type Total = string;

/** What is kept of grants beside them. */
export interface GrantTables {
  /** What follows from grants and charges: months given, rollovers, expiries. */
  grant_entry: {
    project: string;
    piece: string;
    kind: string;
    revision: Int;
    amount: Int;
    stored_at: Int;
  };
  /** Net charges of a project by UTC hour and by UTC month, kept by settlements. */
  charge_sum: { project: string; span: 'hour' | 'month'; start: Int; amount: Total };
  /** What the projects of a team or an organisation have used in a month, and have left. */
  level_use: { level: string; month: Int; used: Total; remaining: Total; as_of: Int };
}

/** Terms of grants, what follows from them, sums of charges, and the levels above projects. */
export const GRANT_SQLITE = `
ALTER TABLE credit_grant ADD COLUMN terms TEXT;
ALTER TABLE balance ADD COLUMN grants_due INTEGER;
ALTER TABLE balance ADD COLUMN grants_kept INTEGER NOT NULL DEFAULT 0;
ALTER TABLE balance ADD COLUMN turns TEXT NOT NULL DEFAULT '';
CREATE INDEX balance_grants_due ON balance (grants_due, project) WHERE grants_due IS NOT NULL;

CREATE TABLE grant_entry (
  project TEXT NOT NULL, piece TEXT NOT NULL, kind TEXT NOT NULL, revision INTEGER NOT NULL,
  amount INTEGER NOT NULL, stored_at INTEGER NOT NULL,
  PRIMARY KEY (project, piece, kind, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE level_use (
  level TEXT PRIMARY KEY, month INTEGER NOT NULL, used TEXT NOT NULL, remaining TEXT NOT NULL,
  as_of INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE charge_sum (
  project TEXT NOT NULL, span TEXT NOT NULL, start INTEGER NOT NULL, amount TEXT NOT NULL,
  PRIMARY KEY (project, span, start)
) STRICT, WITHOUT ROWID;
INSERT INTO charge_sum
  SELECT project, 'hour', hour, CAST(sum(amount) AS TEXT) FROM charge GROUP BY project, hour;
INSERT INTO charge_sum
  SELECT project, 'month', month, CAST(sum(amount) AS TEXT) FROM (
    SELECT project, amount,
      CAST(strftime('%s', hour / 1000, 'unixepoch', 'start of month') AS INTEGER) * 1000 AS month
    FROM charge)
  GROUP BY project, month;
`;

export const GRANT_POSTGRES = `
ALTER TABLE credit_grant ADD COLUMN terms text COLLATE "C";
ALTER TABLE balance
  ADD COLUMN grants_due bigint,
  ADD COLUMN grants_kept bigint NOT NULL DEFAULT 0,
  ADD COLUMN turns text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX balance_grants_due ON balance (grants_due, project) WHERE grants_due IS NOT NULL;

CREATE TABLE grant_entry (
  project text COLLATE "C" NOT NULL, piece text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL, revision integer NOT NULL, amount bigint NOT NULL,
  stored_at bigint NOT NULL, PRIMARY KEY (project, piece, kind, revision)
);

CREATE TABLE level_use (
  level text COLLATE "C" PRIMARY KEY, month bigint NOT NULL, used text COLLATE "C" NOT NULL,
  remaining text COLLATE "C" NOT NULL, as_of bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE charge_sum (
  project text COLLATE "C" NOT NULL, span text COLLATE "C" NOT NULL, start bigint NOT NULL,
  amount text COLLATE "C" NOT NULL, PRIMARY KEY (project, span, start)
) WITH (fillfactor = 70);
INSERT INTO charge_sum
  SELECT project, 'hour', hour, sum(amount)::text FROM charge GROUP BY project, hour;
INSERT INTO charge_sum
  SELECT project, 'month', month, sum(amount)::text FROM (
    SELECT project, amount, (extract(epoch FROM date_trunc('month',
      to_timestamp(hour / 1000) AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') * 1000)::bigint AS month
    FROM charge) AS by_month
  GROUP BY project, month;
`;
