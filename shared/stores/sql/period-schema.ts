/** Both columns are NULL in nearly every row: a month's corrections have an index of their own. */
export const PERIOD_SQLITE = `
ALTER TABLE charge ADD COLUMN kind TEXT;
ALTER TABLE charge ADD COLUMN booked TEXT;
CREATE INDEX charge_booked ON charge (project, booked) WHERE booked IS NOT NULL;
CREATE TABLE period_close (
  month TEXT PRIMARY KEY, closed_at INTEGER NOT NULL, closed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE rate_card (
  id TEXT PRIMARY KEY, body TEXT NOT NULL, fixed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

export const PERIOD_POSTGRES = `
ALTER TABLE charge ADD COLUMN kind text COLLATE "C";
ALTER TABLE charge ADD COLUMN booked text COLLATE "C";
CREATE INDEX charge_booked ON charge (project, booked) WHERE booked IS NOT NULL;
CREATE TABLE period_close (
  month text COLLATE "C" PRIMARY KEY, closed_at bigint NOT NULL, closed_by text COLLATE "C" NOT NULL
);

CREATE TABLE rate_card (
  id text COLLATE "C" PRIMARY KEY, body text COLLATE "C" NOT NULL, fixed_at bigint NOT NULL
);
`;
