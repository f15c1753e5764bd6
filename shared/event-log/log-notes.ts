/** What a reader of an event log has to say besides numbers; each with how often. */
export const LOG_NOTES = {
  'end-inferred': 'the log has no end of the application; the last event stands in for it',
  'start-inferred': 'the log has no start of the application; the first event stands in for it',
  truncated: 'the log ends in the middle of a line or of a compressed frame',
  undercounted: 'the log was compacted: executors that were gone by then are missing',
  'unreadable-line': 'lines that are no JSON, or that lack what their event must have',
  'line-too-long': 'lines over 64 MiB, skipped',
  'corrupt-data': 'compressed bytes that cannot be unpacked; what follows them is missing',
  'missing-part': 'a part of a rolling log is missing',
  'implausible-time': 'events with an impossible time, left out',
  'implausible-resources': 'containers with impossible cores, memory or GPUs, counted without them',
  'negative-duration': 'containers that end before they begin, counted with no time',
  'executor-added-twice': 'executors that were added again; the first time counts',
  'executor-removed-twice': 'executors that were removed again; the first time counts',
  'executor-never-added': 'removals of executors that were never added',
  'task-of-unknown-executor': 'task events of executors that the log does not know',
  'event-after-end': 'events of containers after the end of the application, left out',
  'second-application': 'starts of a second application in one log, left out',
  'application-master-inferred':
    'Spark 2 does not log its YARN application master; it is counted from the start',
} as const;
export type LogNote = keyof typeof LOG_NOTES;
