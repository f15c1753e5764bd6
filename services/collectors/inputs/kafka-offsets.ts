/** Records `[first, until)` of one partition that are being stored. */
export interface OffsetRange {
  readonly first: bigint;
  readonly until: bigint;
  stored: boolean;
  /** Its partition was given to another consumer, which reads it again. */
  lost: boolean;
}

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  /** Of the first record that isn't stored. */
  readonly offset: bigint;
}

/** Ranges of one partition in the order of their offsets. */
class PartitionOffsets {
  #ranges: OffsetRange[] = [];

  take(first: bigint, until: bigint): OffsetRange {
    const range: OffsetRange = { first, until, stored: false, lost: false };
    const behind = this.#ranges.findLastIndex((other) => other.first <= first);
    this.#ranges.splice(behind + 1, 0, range);
    return range;
  }

  holds(offset: bigint): boolean {
    return this.#ranges.some(({ first, until }) => offset >= first && offset < until);
  }

  /** Where the stored ranges before the first one that isn't end. */
  position(): bigint | undefined {
    const open = this.#ranges.findIndex(({ stored }) => !stored);
    return this.#ranges[(open < 0 ? this.#ranges.length : open) - 1]?.until;
  }

  committed(offset: bigint): void {
    const open = this.#ranges.findIndex(({ stored, until }) => !stored || until > offset);
    this.#ranges = open < 0 ? [] : this.#ranges.slice(open);
  }

  lose(): void {
    for (const range of this.#ranges) range.lost = true;
  }
}

/**
 * Which records of which partitions are in hand, and how far a partition may be committed: up to
 * the first record that isn't stored, in whatever order storing ends. What is in hand, or stored
 * and not committed yet, is not taken again when a broker gives it again.
 */
export class KafkaOffsets {
  readonly #partitions = new Map<
    string,
    { readonly topic: string; readonly partition: number; readonly offsets: PartitionOffsets }
  >();

  /** @param until one more than the last record's offset; offsets between may be missing */
  take(topic: string, partition: number, first: bigint, until: bigint): OffsetRange {
    const key = `${topic}/${partition}`;
    let entry = this.#partitions.get(key);
    if (entry === undefined) {
      entry = { topic, partition, offsets: new PartitionOffsets() };
      this.#partitions.set(key, entry);
    }
    return entry.offsets.take(first, until);
  }

  holds(topic: string, partition: number, offset: bigint): boolean {
    return this.#partitions.get(`${topic}/${partition}`)?.offsets.holds(offset) ?? false;
  }

  /** What can be committed now. */
  commits(): PartitionOffset[] {
    const found: PartitionOffset[] = [];
    for (const { topic, partition, offsets } of this.#partitions.values()) {
      const offset = offsets.position();
      if (offset !== undefined) found.push({ topic, partition, offset });
    }
    return found;
  }

  committed(commits: readonly PartitionOffset[]): void {
    for (const { topic, partition, offset } of commits) {
      this.#partitions.get(`${topic}/${partition}`)?.offsets.committed(offset);
    }
  }

  /** Forgets all partitions but the assigned ones: others are somebody else's now. */
  assign(assignment: Readonly<Record<string, readonly number[]>>): void {
    for (const [key, { topic, partition, offsets }] of this.#partitions) {
      const mine = Object.hasOwn(assignment, topic) && assignment[topic]?.includes(partition);
      if (mine === true) continue;
      offsets.lose();
      this.#partitions.delete(key);
    }
  }
}
