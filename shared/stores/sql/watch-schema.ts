/** Running and ended applications of all projects, on both engines. */
export const WATCH_INDEXES = `
CREATE INDEX application_running ON application (start) WHERE state = 'running';
CREATE INDEX application_ended ON application (ended) WHERE ended IS NOT NULL;
`;

/** Refused records by when they came, in PostgreSQL; SQLite's have their own file. */
export const REFUSED_INDEX = `
CREATE INDEX refused_observed ON refused (observed_at, collector, reason);
`;
