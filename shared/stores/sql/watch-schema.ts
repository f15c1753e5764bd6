/** Running and ended applications of all projects, on both engines. */
export const WATCH_INDEXES = `
CREATE INDEX application_running ON application (start) WHERE state = 'running';
CREATE INDEX application_ended ON application (ended) WHERE ended IS NOT NULL;
`;
