import type {
  PartitionOffsets,
  ProgressSource,
} from '../../../../shared/contracts/progress-record.ts';

/**
 * Records that a partition's batch left unread: latest − end. Null where one of them is unknown (a
 * partition that the batch didn't read yet, Spark before 3.1) and where the end has passed the
 * latest: the topic was made anew, so the two don't count the same records.
 */
function partitionLag({ end, latest }: PartitionOffsets): number | null {
  if (end === null || latest === null || end > latest) return null;
  return typeof end === 'number' && typeof latest === 'number'
    ? latest - end
    : Number(BigInt(latest) - BigInt(end));
}

/**
 * The lag that a source reports itself, over all its partitions: their average times their number.
 * The average has one decimal at best, so this is used only where the latest offsets are missing.
 */
function reportedLag({ metrics, partitions }: ProgressSource): number | null {
  const average = metrics['avgOffsetsBehindLatest'];
  const largest = metrics['maxOffsetsBehindLatest'];
  if (average !== undefined && average >= 0 && partitions.length > 1) {
    return Math.round(average * partitions.length);
  }
  return largest !== undefined && largest >= 0 ? largest : null;
}

export interface SourceLag {
  /** Sum of the known lags of the partitions, else what the source reports; null when unknown. */
  readonly total: number | null;
  /** One for each partition, in its order; never negative, null when unknown. */
  readonly partitions: readonly (number | null)[];
}

/** How far a source is behind. */
export function sourceLag(source: ProgressSource): SourceLag {
  const partitions = source.partitions.map(partitionLag);
  let total: number | null = null;
  for (const lag of partitions) if (lag !== null) total = (total ?? 0) + lag;
  if (total !== null) return { total, partitions };
  const reported = reportedLag(source);
  return { total: reported, partitions: partitions.length === 1 ? [reported] : partitions };
}
