import type { Offset, PartitionOffsets } from '../../../../shared/contracts/progress-record.ts';
import { isObject } from './json-field.ts';
import { parseJson } from './parse-json.ts';

// 249 characters are Kafka's own limit on a topic's name.
// biome-ignore lint/suspicious/noControlCharactersInRegex: a control character is no part of a name.
const TOPIC = /^[^\u0000-\u001f\u007f-\u009f]{1,249}$/;
const PARTITION = /^[0-9]{1,10}$/;
const INTEGER = /^[0-9]{1,19}$/;

type Offsets = ReadonlyMap<string, ReadonlyMap<string, Offset>>;
const NONE: Offsets = new Map();

function normal(value: bigint): Offset {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** Undefined for what is no offset, such as -2 (earliest) and -1 (latest). */
export function toOffset(value: unknown): Offset | undefined {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  }
  if (typeof value === 'bigint') return value >= 0n ? normal(value) : undefined;
  if (typeof value === 'string' && INTEGER.test(value)) return normal(BigInt(value));
  return undefined;
}

/** `{"topic":{"0":123}}`, as an object or as JSON inside a string; empty for any other offset. */
function readOffset(value: unknown): Offsets {
  const parsed = typeof value === 'string' ? parseJson(value) : value;
  if (!isObject(parsed)) return NONE;
  const topics = new Map<string, Map<string, Offset>>();
  for (const [topic, partitions] of Object.entries(parsed)) {
    if (!isObject(partitions) || !TOPIC.test(topic)) continue;
    const offsets = new Map<string, Offset>();
    for (const [partition, raw] of Object.entries(partitions)) {
      const offset = PARTITION.test(partition) ? toOffset(raw) : undefined;
      if (offset !== undefined) offsets.set(partition, offset);
    }
    if (offsets.size > 0) topics.set(topic, offsets);
  }
  return topics;
}

/** `[(topic-0,123), (topic-1,456)]`: KafkaSourceOffset.toString of Spark 2.0. */
export function readOffsetText(text: string): PartitionOffsets[] {
  const partitions: PartitionOffsets[] = [];
  for (const [, topic, partition, raw] of text.matchAll(
    /\(([^(),]{1,249})-(\d{1,10}),(\d{1,19})\)/g,
  )) {
    const end = toOffset(raw);
    if (topic === undefined || partition === undefined || end === undefined) continue;
    partitions.push({ topic, partition, start: null, end, latest: null });
  }
  return partitions;
}

/** Partitions that the batch read or could have read; one that is only in `start` is gone. */
export function readPartitions(
  startOffset: unknown,
  endOffset: unknown,
  latestOffset: unknown,
): PartitionOffsets[] {
  const start = readOffset(startOffset);
  const end = readOffset(endOffset);
  const latest = readOffset(latestOffset);
  const partitions: PartitionOffsets[] = [];
  for (const topic of new Set([...end.keys(), ...latest.keys()])) {
    const [starts, ends, latests] = [start.get(topic), end.get(topic), latest.get(topic)];
    for (const partition of new Set([...(ends?.keys() ?? []), ...(latests?.keys() ?? [])])) {
      partitions.push({
        topic,
        partition,
        start: starts?.get(partition) ?? null,
        end: ends?.get(partition) ?? null,
        latest: latests?.get(partition) ?? null,
      });
    }
  }
  return partitions.sort(
    (a, b) =>
      (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0) ||
      Number(a.partition) - Number(b.partition),
  );
}
