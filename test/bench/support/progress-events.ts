export const QUERIES = 500;
export const PARTITIONS = 12;
const BATCHES = 60;

function offsets(base: number): object {
  return {
    orders: Object.fromEntries(Array.from({ length: PARTITIONS }, (_, p) => [p, base + p * 7])),
  };
}

/** A progress as Spark 4.1 prints it, of about 2 kB: Kafka source, one stateful operator. */
function event(query: number, batch: number, now: number): string {
  const rates = { inputRowsPerSecond: 409.2, processedRowsPerSecond: 2_241.9 };
  return JSON.stringify({
    id: `739654fa-8d5c-42fa-b503-${String(query).padStart(12, '0')}`,
    runId: `25e0afb9-5f5f-4a53-878b-${String(query).padStart(12, '0')}`,
    name: `orders_${query}`,
    timestamp: new Date(now - (BATCHES - batch) * 5_000 - 2_000).toISOString(),
    batchId: batch,
    batchDuration: 1_401,
    numInputRows: 899,
    ...rates,
    durationMs: {
      addBatch: 1_257,
      commitOffsets: 45,
      getBatch: 1,
      latestOffset: 11,
      queryPlanning: 16,
      triggerExecution: 1_399,
      walCommit: 66,
    },
    eventTime: { watermark: new Date(now - 600_000).toISOString() },
    stateOperators: [
      {
        operatorName: 'stateStoreSave',
        numRowsTotal: 4_000,
        numRowsUpdated: 90,
        memoryUsedBytes: 90_600,
        customMetrics: { loadedMapCacheHitCount: 10, stateOnCurrentVersionSizeBytes: 384 },
      },
    ],
    sources: [
      {
        description: 'KafkaV2[Subscribe[orders]]',
        startOffset: offsets(batch * 900),
        endOffset: offsets(batch * 900 + 900),
        latestOffset: offsets(batch * 1_000 + 1_200),
        numInputRows: 899,
        ...rates,
        metrics: { avgOffsetsBehindLatest: '1440.7', maxOffsetsBehindLatest: '1729' },
      },
    ],
    sink: { description: 'ForeachBatchSink', numOutputRows: -1 },
    application: `application_1_${query % 50}`,
  });
}

/** Batches of all queries, one after the other. */
export function progressEvents(now: number): string[] {
  const lines: string[] = [];
  for (let batch = 0; batch < BATCHES; batch += 1) {
    for (let query = 0; query < QUERIES; query += 1) lines.push(event(query, batch, now));
  }
  return lines;
}
