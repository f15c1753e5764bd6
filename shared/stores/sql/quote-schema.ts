import type { ColumnType } from 'kysely';

/** Read as bigint from both engines, written as either. */
type Int = ColumnType<bigint | number, bigint | number, bigint | number>;

/** A locked price. */
export interface QuoteRow {
  id: string;
  project: string;
  application: string;
  pool: string;
  step: Int;
  start: Int;
  end: Int;
  quoted_by: string;
}

/** Price promises, and the earlier runs of a workload by its name. */
export const QUOTE_SQLITE = `
CREATE TABLE quote (
  id TEXT PRIMARY KEY, project TEXT NOT NULL, application TEXT NOT NULL, pool TEXT NOT NULL,
  step INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, quoted_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX quote_project ON quote (project, "end");
CREATE INDEX application_workload ON application (project, substr(name, 1, 200), start DESC);
`;

/** By the beginning of names, since a whole one may be longer than a btree's entry. */
export const QUOTE_POSTGRES = `
CREATE TABLE quote (
  id text COLLATE "C" PRIMARY KEY, project text COLLATE "C" NOT NULL,
  application text COLLATE "C" NOT NULL, pool text COLLATE "C" NOT NULL, step bigint NOT NULL,
  start bigint NOT NULL, "end" bigint NOT NULL, quoted_by text COLLATE "C" NOT NULL
);
CREATE INDEX quote_project ON quote (project, "end");
CREATE INDEX application_workload ON application (project, substr(name, 1, 200), start DESC);
`;
