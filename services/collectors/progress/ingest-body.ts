import { createHash } from 'node:crypto';
import { decodeText } from '../core/decode-text.ts';
import type { IngestRequest } from '../core/ingest.ts';
import { splitRecords } from './parse/split-records.ts';
import type { RawText, RecordBatch } from './record-batch.ts';

/** The same text refused twice is one record in quarantine. */
function textId(text: string): string {
  return `progress:${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

function* records(body: Uint8Array, maxRecordBytes: number): Generator<RawText> {
  for (const { text, line } of splitRecords(decodeText(body))) {
    const cut = text.length > maxRecordBytes;
    const kept = cut ? text.slice(0, maxRecordBytes) : text;
    yield {
      text: kept,
      line,
      cut,
      get id() {
        return textId(kept);
      },
    };
  }
}

/** The records of a pushed body. */
export function ingestBody(request: IngestRequest, maxRecordBytes: number): RecordBatch {
  const { body, project, onlyProjects, cluster, receivedAt } = request;
  return {
    origin: { name: 'http', project, onlyProjects, cluster, application: '' },
    receivedAt,
    records: () => records(body, maxRecordBytes),
    checkpoints: [],
    bytes: body.byteLength,
  };
}
