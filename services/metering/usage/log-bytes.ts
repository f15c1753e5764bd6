import type { LogReader } from '../../../shared/stores/log-store.ts';
import { utcDay } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { BytesReader } from './bytes-reader.ts';

type Volume = Pick<LogReader, 'volume'>;

async function bytesSince(logs: Volume, project: ProjectId, from: number): Promise<bigint> {
  return BigInt(Math.ceil((await logs.volume(project, from)).bytes));
}

/** Log messages that came since the UTC day began, as the log store has counted them. */
export function logBytesToday(project: ProjectId, logs: Volume): BytesReader {
  return {
    ...{ project, kind: 'log-bytes', part: 'logs' },
    read: (now) => bytesSince(logs, project, utcDay(now)),
  };
}

/** Log messages that are stored: all that came and whose files haven't gone. */
export function storedLogBytes(project: ProjectId, logs: Volume): BytesReader {
  return {
    ...{ project, kind: 'stored-bytes', part: 'logs' },
    read: () => bytesSince(logs, project, 0),
  };
}
