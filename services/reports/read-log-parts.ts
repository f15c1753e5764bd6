import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { JournalFact } from '../../shared/contracts/container-fact.ts';
import { type DecompressEnd, decompress } from '../../shared/event-log/decompress.ts';
import type { EventLogReader } from '../../shared/event-log/event-log-reader.ts';
import type { EventLogLines } from '../../shared/event-log/read-event-log.ts';
import type { LogSource } from './find-event-logs.ts';

const CHUNK_BYTES = 1024 * 1024;

export interface LogReading {
  readonly reader: EventLogReader;
  readonly lines: EventLogLines;
  /** How unpacking ended, once it has. */
  end: DecompressEnd | undefined;
}

export interface LogPartOptions {
  /** Called with the bytes of each chunk that was read from disk. */
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
  /** The facts found so far; false ends the reading. */
  readonly take: (facts: readonly JournalFact[]) => boolean;
}

/** The ids that Spark puts into the names of its logs; the whole name where there are none. */
export function identityFromName(path: string): { application: string; attempt: string } {
  const name = basename(path);
  const id =
    /(application_\d+_\d+|app-\d{14}-\d{4,}|local-\d+|spark-[0-9a-f]{32})(?:_(\d+))?(?![0-9A-Za-z_])/.exec(
      name,
    );
  return { application: id?.[1] ?? name.slice(0, 256), attempt: id?.[2] ?? '' };
}

async function* counted(
  path: string,
  { onBytes, signal }: LogPartOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES, signal })) {
    onBytes(chunk.length);
    yield chunk;
  }
}

/** Reads a log's files in order, to the end or as long as what they tell is wanted. */
export async function readLogParts(
  source: LogSource,
  reading: LogReading,
  options: LogPartOptions,
): Promise<void> {
  const { reader, lines } = reading;
  for (const { path } of source.parts) {
    const bytes = decompress(counted(path, options), path, (end) => {
      reading.end = end;
    });
    for await (const chunk of bytes) {
      lines.push(chunk);
      if (!options.take(reader.takeFacts()) || lines.isForeign) return;
    }
    lines.end();
    if (reading.end?.kind === 'truncated') reader.note('truncated');
    // What is broken in a part may hide anything; the parts after it are still read.
    if (reading.end?.kind === 'corrupt') reader.note('corrupt-data');
  }
}
