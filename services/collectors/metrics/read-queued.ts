import { printQueueSource, type QueuedBatch } from '../core/queue.ts';
import type { GraphiteReader } from './graphite-reader.ts';
import type { PointBatch } from './point-batch.ts';
import { type PushedRules, readPushed } from './read-pushed.ts';

export interface QueuedReaders {
  readonly rules: Omit<PushedRules, 'batch' | 'source'>;
  /** A reader of Graphite lines whose refused ones have this source. */
  readonly graphite: (source: string) => GraphiteReader;
}

/** Puts the points of a queue's messages into a batch; one message may hold several, one a line. */
export function readQueued(queued: QueuedBatch, batch: PointBatch, readers: QueuedReaders): void {
  const { project, cluster, receivedAt, format } = queued;
  for (const { id, text, refused } of queued.records) {
    const source = printQueueSource(id, queued);
    if (refused?.fate === 'dropped') batch.drop(refused.reason);
    else if (refused !== undefined) {
      const { reason } = refused;
      const owner = { project: project ?? '', observedAt: receivedAt };
      batch.quarantine({ source, reason, raw: text, ...owner });
    } else if (format === 'graphite') {
      readers.graphite(source).read(Buffer.from(`${text}\n`), batch);
    } else {
      const body = Buffer.from(text);
      readPushed({ body, project, cluster, receivedAt }, { ...readers.rules, batch, source });
    }
  }
}
