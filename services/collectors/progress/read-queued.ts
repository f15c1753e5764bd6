import type { QueuedBatch } from '../core/queue.ts';
import { splitRecords } from './parse/split-records.ts';
import type { RawText, RecordBatch } from './record-batch.ts';

function* records(queued: QueuedBatch, maxRecordBytes: number): Generator<RawText> {
  for (const { id, text, refused } of queued.records) {
    if (refused !== undefined) {
      yield { id, text, line: 1, cut: false, refused };
      continue;
    }
    for (const { text: one, line } of splitRecords(text)) {
      const cut = one.length > maxRecordBytes;
      const kept = cut ? one.slice(0, maxRecordBytes) : one;
      yield { id: line === 1 ? id : `${id}.${line}`, text: kept, line, cut };
    }
  }
}

/** The records of a queue's messages; one message may hold several, one a line. */
export function readQueued(queued: QueuedBatch, maxRecordBytes: number): RecordBatch {
  const { origin, project, cluster, receivedAt, bytes } = queued;
  return {
    origin: { name: origin, project, cluster, application: '' },
    receivedAt,
    records: () => records(queued, maxRecordBytes),
    checkpoints: [],
    bytes,
  };
}
