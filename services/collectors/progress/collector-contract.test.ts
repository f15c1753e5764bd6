import { collectorSuite } from '../../../test/contracts/collector-suite.ts';
import { aBatch, ETL, ProgressBench } from '../../../test/support/progress-bench.ts';
import { progressConfig } from './config.ts';
import { startProgress } from './start.ts';

collectorSuite({
  name: 'progress',
  good: (n) => JSON.stringify(aBatch(n, n, n)),
  bad: {
    'no JSON': '{"id":',
    'no query': JSON.stringify({ runId: 'r', batchId: 1 }),
    'no time': JSON.stringify({ id: 'q', runId: 'r', batchId: 1 }),
    'another event': '{"Event":"SparkListenerTaskEnd"}',
  },
  async open() {
    const bench = await ProgressBench.open();
    return {
      quarantine: bench.quarantine,
      start: (deps) =>
        startProgress({ ...deps, config: progressConfig.parse(undefined), writer: bench.writer }),
      async stored() {
        const query = { measurement: 'streaming_query', field: 'batch_id', aggregate: 'last' };
        const span = { from: 0, until: 4e12, stepMs: 0, limit: 100 };
        const found = await bench.reader.query(ETL, { ...query, ...span } as never);
        return found.reduce((sum, { points }) => sum + points.length, 0);
      },
      [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
    };
  },
});
