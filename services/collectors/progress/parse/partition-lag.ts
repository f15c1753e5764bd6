import type {
  PartitionOffsets,
  ProgressRecord,
  ProgressSource,
} from '../../../../shared/contracts/progress-record.ts';

/**
 * Records that a partition's batch left unread: latest − end. Null where one of them is unknown (a
 * partition that the batch didn't read yet, Spark before 3.1) and where the end has passed the
 * latest: the topic was made anew, so the two don't count the same records.
 */
export function partitionLag({ end, latest }: PartitionOffsets): number | null {
  if (end === null || latest === null || end > latest) return null;
  return typeof end === 'number' && typeof latest === 'number'
    ? latest - end
    : Number(BigInt(latest) - BigInt(end));
}

/**
 * The lag that a source reports itself, over all its partitions: their average times their number.
 * `avgOffsetsBehindLatest` has one decimal at best, so this is used only without latest offsets.
 */
function reportedLag({ metrics, partitions }: ProgressSource): number | null {
  const average = metrics['avgOffsetsBehindLatest'];
  const largest = metrics['maxOffsetsBehindLatest'];
  if (average !== undefined && average >= 0 && partitions.length > 1) {
    return Math.round(average * partitions.length);
  }
  return largest !== undefined && largest >= 0 ? largest : null;
}

/** Lag of a source: the sum of its partitions' known lags, else what it reports; null when unknown. */
export function sourceLag(source: ProgressSource): number | null {
  let sum: number | null = null;
  for (const partition of source.partitions) {
    const lag = partitionLag(partition);
    if (lag !== null) sum = (sum ?? 0) + lag;
  }
  return sum ?? reportedLag(source);
}

/** Lag of a query: the sum of its sources' known lags; null when none is known. */
export function queryLag(record: ProgressRecord): number | null {
  let sum: number | null = null;
  for (const source of record.sources) {
    const lag = sourceLag(source);
    if (lag !== null) sum = (sum ?? 0) + lag;
  }
  return sum;
}
