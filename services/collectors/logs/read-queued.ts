import type { LogRecord } from '../../../shared/contracts/log-record.ts';
import { UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { type Fate, kept } from '../core/fate.ts';
import { printQueueSource, type QueuedBatch, type QueuedRecord } from '../core/queue.ts';
import { fateOfLine, type PushContext } from './ingest-lines.ts';
import { LogBatch } from './log-batch.ts';
import type { LogQuotas } from './log-quotas.ts';
import { type RawRecord, RecordAssembler } from './parse/record-assembler.ts';
import { TimeReader } from './parse/time-reader.ts';
import { toLogRecord } from './parse/to-log-record.ts';

const RAW_CHARS = 64 * 1_024;

/** The events of a message in a text layout; mostly one, with the lines of its stack trace. */
function eventsOf(text: string, context: PushContext): LogRecord[] {
  const { cluster, observedAt, maxRecordBytes } = context;
  const events: LogRecord[] = [];
  const time = new TimeReader(context.zone);
  const origin = {
    project: context.project ?? UNATTRIBUTED,
    cluster,
    application: '',
    container: '',
  };
  const out = (raw: RawRecord): void => {
    const lastAt = events.at(-1)?.at;
    const record = toLogRecord(raw, { origin, time, observedAt, lastAt, trusted: true });
    if (record !== undefined) events.push(record);
  };
  const assembler = new RecordAssembler({ time, maxRecordBytes, start: 0, encoding: 'utf-8', out });
  assembler.push(Buffer.from(text));
  assembler.flush();
  return events;
}

function fatesOf(record: QueuedRecord, format: string, context: PushContext): Fate<LogRecord>[] {
  const { refused, text } = record;
  if (refused !== undefined) return [{ ...refused, raw: text }];
  if (text.trim() === '') return [{ fate: 'dropped', reason: 'blank' }];
  return format === 'text' ? eventsOf(text, context).map(kept) : [fateOfLine(text, context)];
}

/**
 * The log records of a queue's messages, less what `quotas` leaves out. A message is an identity: whoever sends no `id` in the
 * record gets the message's, so that a message that comes again is there already.
 */
export function readQueued(
  queued: QueuedBatch,
  context: PushContext,
  quotas?: LogQuotas,
): LogBatch {
  const batch = new LogBatch(quotas);
  for (const message of queued.records) {
    for (const [index, fate] of fatesOf(message, queued.format, context).entries()) {
      const origin = index === 0 ? message.id : `${message.id}.${index}`;
      if (fate.fate === 'kept') {
        batch.keep({ ...fate.record, id: fate.record.id ?? origin, origin });
      } else if (fate.fate === 'dropped') batch.drop(fate.reason);
      else {
        batch.quarantined.push({
          id: message.id,
          collector: 'logs',
          source: printQueueSource(queued.origin, queued),
          reason: fate.reason,
          project: context.project ?? '',
          observedAt: context.observedAt,
          raw: fate.raw.slice(0, RAW_CHARS),
        });
      }
    }
  }
  return batch;
}
