import type { SimApplication, SimProgress } from '../platform/sim-event.ts';

/** Rates have one decimal since Spark 4.1 (SPARK-53491). */
const oneDecimal = (rate: number): number => Math.round(rate * 10) / 10;

function offsets(topic: string, values: readonly number[]): Record<string, object> {
  return { [topic]: Object.fromEntries(values.map((offset, i) => [String(i), offset])) };
}

/** `event.progress.json` of a StreamingQueryListener (sql/api/…/streaming/progress.scala). */
export function progressJson(app: SimApplication, at: number, p: SimProgress): object {
  const behind = p.latest.map((latest, i) => latest - (p.end[i] ?? latest));
  const rates = {
    inputRowsPerSecond: oneDecimal(p.inputRate),
    processedRowsPerSecond: oneDecimal(p.processedRate),
  };
  return {
    id: p.id,
    runId: p.runId,
    name: p.name,
    timestamp: new Date(at - p.triggerMs).toISOString(),
    batchId: p.batchId,
    batchDuration: p.triggerMs,
    numInputRows: p.rows,
    ...rates,
    durationMs: {
      addBatch: Math.round(p.triggerMs * 0.8),
      commitOffsets: 40,
      getBatch: 1,
      latestOffset: 6,
      queryPlanning: 30,
      triggerExecution: p.triggerMs,
      walCommit: 45,
    },
    eventTime: { watermark: new Date(at - 60_000).toISOString() },
    stateOperators: [
      {
        operatorName: 'stateStoreSave',
        numRowsTotal: p.stateRows,
        numRowsUpdated: Math.round(p.rows / 5),
        memoryUsedBytes: p.stateRows * 220,
        numRowsDroppedByWatermark: 0,
        customMetrics: {},
      },
    ],
    sources: [
      {
        description: `KafkaV2[Subscribe[${p.topic}]]`,
        startOffset: offsets(p.topic, p.start),
        endOffset: offsets(p.topic, p.end),
        latestOffset: offsets(p.topic, p.latest),
        numInputRows: p.rows,
        ...rates,
        metrics: {
          avgOffsetsBehindLatest: String(behind.reduce((a, b) => a + b, 0) / behind.length),
          maxOffsetsBehindLatest: String(Math.max(...behind)),
          minOffsetsBehindLatest: String(Math.min(...behind)),
        },
      },
    ],
    sink: { description: 'ForeachBatchSink', numOutputRows: -1 },
    observedMetrics: {},
    application: app.id,
  };
}
