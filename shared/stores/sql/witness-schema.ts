/**
 * What settlements keep of witnesses: anomalies, pairs of clocks, what became of containers, and the
 * inferred part of totals. Sums of before are made up from the rows; on SQLite they have to fit its
 * integer.
 */
export const WITNESS_SQLITE = `
CREATE TABLE anomaly (
  cluster TEXT NOT NULL, topic TEXT NOT NULL, subject TEXT NOT NULL, anomaly TEXT NOT NULL,
  fact_id TEXT NOT NULL, application TEXT NOT NULL, project TEXT NOT NULL, at INTEGER NOT NULL,
  detail TEXT NOT NULL, PRIMARY KEY (cluster, topic, subject, anomaly, fact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX anomaly_project ON anomaly (project, at);

CREATE TABLE clock_pair (
  cluster TEXT NOT NULL, container TEXT NOT NULL, witness TEXT NOT NULL, reference TEXT NOT NULL,
  host TEXT NOT NULL, at INTEGER NOT NULL, start_ms INTEGER, stop_ms INTEGER,
  PRIMARY KEY (cluster, container, witness)
) STRICT, WITHOUT ROWID;
CREATE INDEX clock_pair_at ON clock_pair (cluster, at);
CREATE INDEX container_running ON container (cluster) WHERE state = 'running';

ALTER TABLE charge ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
ALTER TABLE container ADD COLUMN attempt TEXT NOT NULL DEFAULT '';
ALTER TABLE container ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
ALTER TABLE balance ADD COLUMN inferred TEXT NOT NULL DEFAULT '0';
ALTER TABLE application ADD COLUMN inferred_charged TEXT NOT NULL DEFAULT '0';
UPDATE balance SET inferred = CAST(s.amount AS TEXT)
  FROM (SELECT project, sum(amount) AS amount FROM charge WHERE coverage = 'inferred'
    GROUP BY project) AS s
  WHERE s.project = balance.project;
UPDATE application SET inferred_charged = CAST(s.amount AS TEXT)
  FROM (SELECT cluster, application, sum(amount) AS amount FROM charge
    WHERE coverage = 'inferred' GROUP BY cluster, application) AS s
  WHERE s.cluster = application.cluster AND s.application = application.application;
`;

export const WITNESS_POSTGRES = `
CREATE TABLE anomaly (
  cluster text COLLATE "C" NOT NULL, topic text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL, anomaly text COLLATE "C" NOT NULL,
  fact_id text COLLATE "C" NOT NULL, application text COLLATE "C" NOT NULL,
  project text COLLATE "C" NOT NULL, at bigint NOT NULL, detail text COLLATE "C" NOT NULL,
  PRIMARY KEY (cluster, topic, subject, anomaly, fact_id)
);
CREATE INDEX anomaly_project ON anomaly (project, at);

CREATE TABLE clock_pair (
  cluster text COLLATE "C" NOT NULL, container text COLLATE "C" NOT NULL,
  witness text COLLATE "C" NOT NULL, reference text COLLATE "C" NOT NULL,
  host text COLLATE "C" NOT NULL, at bigint NOT NULL, start_ms bigint, stop_ms bigint,
  PRIMARY KEY (cluster, container, witness)
);
CREATE INDEX clock_pair_at ON clock_pair (cluster, at);
CREATE INDEX container_running ON container (cluster) WHERE state = 'running';

ALTER TABLE charge ADD COLUMN outcome text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE container ADD COLUMN attempt text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE container ADD COLUMN outcome text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE balance ADD COLUMN inferred text COLLATE "C" NOT NULL DEFAULT '0';
ALTER TABLE application ADD COLUMN inferred_charged text COLLATE "C" NOT NULL DEFAULT '0';
UPDATE balance SET inferred = s.amount::text
  FROM (SELECT project, sum(amount) AS amount FROM charge WHERE coverage = 'inferred'
    GROUP BY project) AS s
  WHERE s.project = balance.project;
UPDATE application SET inferred_charged = s.amount::text
  FROM (SELECT cluster, application, sum(amount) AS amount FROM charge
    WHERE coverage = 'inferred' GROUP BY cluster, application) AS s
  WHERE s.cluster = application.cluster AND s.application = application.application;
`;
