import type { RpcClient } from '../../shared/runtime/worker-rpc.ts';
import type { LogReader } from '../../shared/stores/log-store.ts';
import type { MetricReader } from '../../shared/stores/metric-store.ts';

const closing = { async [Symbol.asyncDispose](): Promise<void> {} };

/** The log store as another thread reads it. */
export function remoteLogReader(rpc: RpcClient): LogReader {
  return {
    search: (project, query) => rpc.call('search', [project, query]),
    fingerprints: (project, query) => rpc.call('fingerprints', [project, query]),
    countByApplication: (project, query) => rpc.call('count-by-application', [project, query]),
    volume: (project, from) => rpc.call('volume', [project, from]),
    ...closing,
  };
}

/** The metric store as another thread reads it. */
export function remoteMetricReader(rpc: RpcClient): MetricReader {
  return {
    query: (project, query) => rpc.call('query', [project, query]),
    latest: (project, measurement, from) => rpc.call('latest', [project, measurement, from]),
    ...closing,
  };
}
