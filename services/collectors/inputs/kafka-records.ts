import { isUtf8 } from 'node:buffer';
import type { QueuedRecord } from '../core/queue.ts';
import { unreadableBatch } from './kafka-codecs.ts';

/** A message as the client library hands it out. */
export interface KafkaMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** Consecutive messages of a partition, and the offsets `[first, until)` that they cover. */
export interface KafkaChunk {
  readonly messages: readonly KafkaMessage[];
  readonly first: bigint;
  readonly until: bigint;
  readonly bytes: number;
}

/** What the client library's objects of a message take beside its bytes. */
const MESSAGE_BYTES = 512;
const RAW_BYTES = 65_536;
const BYTE_ORDER_MARK = 0xfeff;
const UTF16 = { 'utf-16le': new TextDecoder('utf-16le'), 'utf-16be': new TextDecoder('utf-16be') };

/**
 * Cuts a batch into chunks of up to `maxBytes`, leaving out messages that are in hand already.
 *
 * @param lastOffset of the batch, which may lie behind its last message's (a transaction's mark)
 */
export function cutBatch(
  messages: readonly KafkaMessage[],
  lastOffset: bigint,
  options: { readonly maxBytes: number; readonly holds: (offset: bigint) => boolean },
): KafkaChunk[] {
  const chunks: KafkaChunk[] = [];
  let open: KafkaMessage[] = [];
  let bytes = 0;
  const close = (until?: bigint): void => {
    const [first, last] = [open[0], open.at(-1)];
    if (first === undefined || last === undefined) return;
    const end = until ?? BigInt(last.offset) + 1n;
    chunks.push({ messages: open, first: BigInt(first.offset), until: end, bytes });
    open = [];
    bytes = 0;
  };
  for (const message of messages) {
    if (options.holds(BigInt(message.offset))) {
      close();
      continue;
    }
    const size = MESSAGE_BYTES + (message.value?.length ?? 0) + (message.key?.length ?? 0);
    if (bytes + size > options.maxBytes) close();
    open.push(message);
    bytes += size;
  }
  close(open.at(-1) === messages.at(-1) ? lastOffset + 1n : undefined);
  return chunks;
}

/** UTF-8, or UTF-16 behind its mark; undefined for anything else, such as Avro. */
function textOf(value: Buffer): string | undefined {
  const mark = value.length < 2 ? 0 : value.readUInt16BE(0);
  if (mark === 0xfffe) return UTF16['utf-16le'].decode(value);
  if (mark === 0xfeff) return UTF16['utf-16be'].decode(value);
  if (!isUtf8(value)) return undefined;
  const text = value.toString('utf8');
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

function recordOf(id: string, value: Buffer | null, maxRecordBytes: number): QueuedRecord {
  if (value === null) return { id, text: '', refused: { fate: 'dropped', reason: 'tombstone' } };
  const refuse = (reason: string, text: string): QueuedRecord => ({
    id,
    text,
    refused: { fate: 'quarantined', reason },
  });
  if (value.length > maxRecordBytes) {
    return refuse('too-long', value.subarray(0, RAW_BYTES).toString('utf8'));
  }
  const text = textOf(value);
  // Latin-1 keeps every byte, so that a person can still tell what it was.
  if (text === undefined)
    return refuse('not-utf8', value.subarray(0, RAW_BYTES).toString('latin1'));
  return text.includes('\0') ? refuse('binary', text.slice(0, RAW_BYTES)) : { id, text };
}

/** The records of a chunk with their identities; a batch that can't be read is one of them. */
export function recordsOf(
  origin: string,
  messages: readonly KafkaMessage[],
  maxRecordBytes: number,
): QueuedRecord[] {
  const records: QueuedRecord[] = [];
  let unreadable = '';
  for (const message of messages) {
    const batch = unreadableBatch(message);
    if (batch === undefined) {
      records.push(recordOf(`${origin}#${message.offset}`, message.value, maxRecordBytes));
    } else if (batch.firstOffset !== unreadable) {
      unreadable = batch.firstOffset;
      records.push({
        id: `${origin}#${batch.firstOffset}`,
        text: batch.detail,
        refused: { fate: 'quarantined', reason: batch.reason },
      });
    }
  }
  return records;
}
