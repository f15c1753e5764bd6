import { parseProjectId } from '../../../shared/values/project-id.ts';
import type { IngestRequest } from '../core/ingest.ts';
import { parseQueueSource } from '../core/queue.ts';

type Place = Pick<IngestRequest, 'cluster' | 'onlyProjects'>;

const PREFIX = 'http:';
const ONLY = ' only ';

/**
 * How the quarantine names where a pushed fact came from: `http:<cluster>`, and for a sender bound
 * to projects ` only <projects>`, since a replay must not store what the sender couldn't have.
 */
export function printSource({ cluster, onlyProjects }: Place): string {
  return `${PREFIX}${cluster}${onlyProjects === undefined ? '' : ONLY + onlyProjects.join(',')}`;
}

/** What held for a record from there: pushed, or out of a queue. */
export function sourcePlace(source: string): Place {
  if (!source.startsWith(PREFIX)) return { cluster: parseQueueSource(source)?.cluster ?? '' };
  const [cluster = '', only] = source.slice(PREFIX.length).split(ONLY);
  if (only === undefined) return { cluster };
  const projects = only.split(',').flatMap((text) => parseProjectId(text) ?? []);
  return { cluster, onlyProjects: projects };
}
