import { createRequire } from 'node:module';
import type { KafkaCodec } from '../../services/collectors/inputs/kafka-codecs.ts';

export interface DecodedRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

// The client library's own reader of batches, since it decides what a codec may do.
const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder');
const readBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder');
const { Codecs } = require('kafkajs/src/protocol/message/compression');

/** Gives the client library these codecs, as an input does when it connects. */
export function useCodecs(codecs: ReadonlyMap<number, () => KafkaCodec>): void {
  Object.assign(Codecs, Object.fromEntries(codecs));
}

/** Reads the batches of an answer one by one, as the client library does. */
export function batchReader(answer: Buffer): () => Promise<DecodedRecord[]> {
  const decoder = new Decoder(answer);
  return async () => (await readBatch(decoder)).records;
}
