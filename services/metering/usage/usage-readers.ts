import type { Clock } from '../../../shared/runtime/clock.ts';
import type { LogReader } from '../../../shared/stores/log-store.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { BytesReader } from './bytes-reader.ts';
import { directoryBytes } from './directory-bytes.ts';
import { logBytesToday, storedLogBytes } from './log-bytes.ts';
import type { StoragePlace } from './storage-config.ts';
import { webhdfsBytes } from './webhdfs-bytes.ts';

interface MeasuredProject {
  readonly id: string;
  readonly limits: { readonly logBytesPerDay?: number | undefined };
  readonly storage: readonly StoragePlace[];
}

export interface UsageSources {
  readonly clock: Clock;
  readonly logs: Pick<LogReader, 'volume'>;
  /** Projects whose logs of the day are limited elsewhere. */
  readonly logLimited: readonly string[];
}

/** What is to be measured, by the configuration. */
export function usageReaders(
  projects: readonly MeasuredProject[],
  { clock, logs, logLimited }: UsageSources,
): BytesReader[] {
  const limited = new Set(logLimited);
  const readers: BytesReader[] = [];
  for (const { id, limits, storage } of projects) {
    const project = id as ProjectId;
    if (limits.logBytesPerDay !== undefined) limited.add(id);
    for (const place of storage) {
      if (place.type === 'directory') readers.push(directoryBytes({ project, path: place.path }));
      else if (place.type === 'logs') readers.push(storedLogBytes(project, logs));
      else readers.push(webhdfsBytes({ project, ...place }, { clock }));
    }
  }
  for (const id of limited) readers.push(logBytesToday(id as ProjectId, logs));
  return readers;
}
