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
 * notebook its variables, a server everybody's queries, a batch job nothing that isn't repeated. A
 * stream that waits for data isn't idle for its owner: none is stopped for that.
 */
export const SHIPPED_POLICIES: readonly WrittenPolicy[] = [
  {
    id: 'idle-notebook',
    rules: ['SessionIdle'],
    severities,
    workloads: ['notebook', 'shell'],
    ladder: [notify, { level: 'cap-executors', grace: '30m' }, { level: 'kill', grace: '2h' }],
  },
  {
    id: 'idle-server',
    rules: ['SessionIdle'],
    severities,
    workloads: ['connect', 'thrift'],
    ladder: [notify, { level: 'cap-executors', grace: '2h' }, { level: 'kill', grace: '1d' }],
  },
  {
    id: 'idle-batch',
    rules: ['BatchIdle'],
    severities,
    workloads: ['batch'],
    ladder: [notify, { level: 'cap-executors', grace: '15m' }, { level: 'kill', grace: '30m' }],
  },
  {
    id: 'quota-exhausted',
    rules: ['QuotaUsedUp'],
    ladder: [
      notify,
      { level: 'deny-new-work', grace: '5m' },
      { level: 'graceful-stop', grace: '30m' },
      { level: 'kill', grace: '30m' },
    ],
  },
  {
    id: 'unreserved',
    rules: ['ApplicationUnreserved'],
    severities,
    ladder: [notify, { level: 'graceful-stop', grace: '30m' }, { level: 'kill', grace: '15m' }],
  },
  {
    id: 'cluster-idle',
    rules: ['ClusterIdle'],
    severities,
    minAge: '1h',
    ladder: [notify, { level: 'terminate-cluster', grace: '30m' }],
  },
];
