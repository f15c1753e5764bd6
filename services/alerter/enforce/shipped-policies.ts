/** A policy as it is written in a configuration. */
interface WrittenPolicy {
  readonly id: string;
  readonly [key: string]: unknown;
}

const severities = ['warning', 'critical'];
const notify = { level: 'notify', grace: '0s' };

/**
 * Policies that come with Tollgate, all of them observing until somebody switches their levels on.
 * How long a session may hold executors without work differs by what it costs to lose one: a
 * notebook its variables, a server everybody's queries, a batch job nothing that isn't repeated.
 */
export const SHIPPED_POLICIES: readonly WrittenPolicy[] = [
  {
    id: 'idle-notebook',
    rules: ['application-idle*'],
    severities,
    workloads: ['notebook', 'shell'],
    ladder: [notify, { level: 'cap-executors', grace: '30m' }, { level: 'kill', grace: '2h' }],
  },
  {
    id: 'idle-server',
    rules: ['application-idle*'],
    severities,
    workloads: ['connect', 'thrift'],
    ladder: [notify, { level: 'cap-executors', grace: '2h' }, { level: 'kill', grace: '1d' }],
  },
  {
    id: 'idle-batch',
    rules: ['application-idle*'],
    severities,
    workloads: ['batch'],
    ladder: [notify, { level: 'cap-executors', grace: '15m' }, { level: 'kill', grace: '30m' }],
  },
  {
    // A stream that waits for data isn't idle for its owner: it is never killed for that.
    id: 'idle-stream',
    rules: ['application-idle*'],
    severities,
    workloads: ['stream', 'unknown'],
    ladder: [notify, { level: 'graceful-stop', grace: '1d' }],
  },
  {
    id: 'quota-exhausted',
    rules: ['quota-exhausted*'],
    ladder: [
      notify,
      { level: 'deny-new-work', grace: '5m' },
      { level: 'graceful-stop', grace: '30m' },
      { level: 'kill', grace: '30m' },
    ],
  },
  {
    id: 'unreserved',
    rules: ['application-unreserved*'],
    severities,
    ladder: [notify, { level: 'graceful-stop', grace: '30m' }, { level: 'kill', grace: '15m' }],
  },
  {
    id: 'cluster-idle',
    rules: ['cluster-idle*'],
    severities,
    minAge: '1h',
    ladder: [notify, { level: 'terminate-cluster', grace: '30m' }],
  },
];
