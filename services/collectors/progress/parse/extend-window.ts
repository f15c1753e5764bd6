import type { ProgressRecord } from '../../../../shared/contracts/progress-record.ts';
import {
  type PartitionSample,
  partitionKey,
  type WindowBatch,
  type WindowLimits,
} from './query-state.ts';
import { sourceLag } from './source-lag.ts';

function samplesOf(record: ProgressRecord, limit: number): Map<string, PartitionSample> {
  const samples = new Map<string, PartitionSample>();
  for (const source of record.sources) {
    const { partitions: lags } = sourceLag(source);
    for (const [i, { topic, partition, end }] of source.partitions.entries()) {
      if (end === null || samples.size >= limit) continue;
      const lag = lags[i] ?? null;
      const key = partitionKey(topic, partition);
      const other = samples.get(key);
      // A query that reads a topic twice is as far as its slower reading.
      if (other !== undefined && other.end <= end) continue;
      samples.set(key, { topic, partition, end, lag });
    }
  }
  return samples;
}

/** Idle reports carry the number of the batch to come, so they are told apart by their time. */
function sameBatch(a: WindowBatch, b: WindowBatch): boolean {
  if (a.run !== b.run || a.idle !== b.idle) return false;
  return a.idle || a.batch === null ? a.start === b.start : a.batch === b.batch;
}

function compare(a: WindowBatch, b: WindowBatch): number {
  return a.end - b.end || a.start - b.start || (a.batch ?? -1) - (b.batch ?? -1);
}

export interface ExtendedWindow {
  readonly window: readonly WindowBatch[];
  /** Reports that the window doesn't hold: the one before of the same batch, the oldest, or this. */
  readonly past: readonly WindowBatch[];
  /** The very same report was there. */
  readonly duplicate: boolean;
}

/**
 * The window with one more report, in whichever order they come: a batch that was run again counts
 * once, with its last end, and the newest `windowBatches` are kept.
 */
export function extendWindow(
  window: readonly WindowBatch[],
  record: ProgressRecord,
  limits: WindowLimits,
): ExtendedWindow {
  const { run, batch, idle, start, end } = record;
  const entry: WindowBatch = {
    run,
    batch,
    idle,
    start,
    end,
    partitions: samplesOf(record, limits.maxPartitions),
  };
  const before = window.find((other) => sameBatch(other, entry));
  const duplicate = before !== undefined && before.start === start && before.end === end;
  if (before !== undefined && compare(before, entry) > 0)
    return { window, past: [entry], duplicate };
  const rest = before === undefined ? window : window.filter((other) => other !== before);
  const all = [...rest, entry].sort(compare);
  const past = all.splice(0, Math.max(0, all.length - limits.windowBatches));
  if (before !== undefined) past.push(before);
  return { window: all, past, duplicate };
}
