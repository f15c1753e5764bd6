export interface PartitionEnd {
  readonly partition: number;
  /** Of the next record that will be written. */
  readonly high: string;
  /** Of the oldest record that is there. */
  readonly low: string;
}

export interface PartitionLag {
  readonly partition: number;
  readonly records: number;
}

/**
 * Records of a topic's partitions that the group has not committed; a partition that it never
 * committed, or whose oldest records went since, is behind by all that is there.
 */
export function kafkaLag(
  ends: readonly PartitionEnd[],
  committed: readonly { readonly partition: number; readonly offset: string }[],
): PartitionLag[] {
  const offsets = new Map(committed.map(({ partition, offset }) => [partition, BigInt(offset)]));
  return ends.map(({ partition, high, low }) => {
    const offset = offsets.get(partition) ?? -1n;
    const from = offset > BigInt(low) ? offset : BigInt(low);
    return { partition, records: Math.max(0, Number(BigInt(high) - from)) };
  });
}
