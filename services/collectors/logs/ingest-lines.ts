import { hash } from 'node:crypto';
import type { LogRecord } from '../../../shared/contracts/log-record.ts';
import { type ProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { dropped, type Fate, FOREIGN_PROJECT, kept, quarantined } from '../core/fate.ts';
import type { ProjectOf } from './origin-of-source.ts';
import { parseJsonObject, readJsonRecord } from './parse/json-record.ts';
import type { LocalTime } from './parse/local-time.ts';
import { TimeReader } from './parse/time-reader.ts';
import { finishRecord, isUsableId, originOf } from './parse/to-log-record.ts';

/** What is known of pushed lines beside themselves. */
export interface PushContext {
  readonly project: ProjectId | undefined;
  readonly cluster: string;
  /** The only projects that the sender may name; undefined for all. */
  readonly onlyProjects?: readonly ProjectId[] | undefined;
  readonly observedAt: number;
  readonly maxRecordBytes: number;
  readonly zone: LocalTime;
  readonly projectOf: ProjectOf | undefined;
}

/** The fate of one pushed line: JSON with a message, in any of the layouts. */
export function fateOfLine(line: string, context: PushContext): Fate<LogRecord> {
  if (line.length > context.maxRecordBytes) return quarantined('too-long', line);
  const object = parseJsonObject(line);
  if (object === undefined) return quarantined('no-json-object', line);
  const json = readJsonRecord(object, new TimeReader(context.zone));
  if (json === undefined) return quarantined('no-message', line);
  if (!isUsableId(json.id)) return quarantined('id-too-long', line);
  const { cluster } = context;
  const given = {
    project: context.project ?? UNATTRIBUTED,
    cluster,
    application: '',
    container: '',
  };
  const origin = originOf(json, given);
  if (origin === undefined) return quarantined('no-project-id', line);
  if (json.project !== undefined && context.onlyProjects?.includes(origin.project) === false) {
    return dropped(FOREIGN_PROJECT);
  }
  const named = context.project !== undefined || json.project !== undefined;
  const project = named ? undefined : context.projectOf?.(origin.cluster, origin.application);
  const record = finishRecord(json, project === undefined ? origin : { ...origin, project }, {
    observedAt: context.observedAt,
    lastAt: undefined,
    cut: false,
  });
  return record === undefined ? quarantined('no-message', line) : kept(record);
}

/** Identity of a refused line: the same line waits once. */
export function refusedId(line: string, context: PushContext): string {
  const { project, cluster } = context;
  return `push:${hash('sha1', `${project ?? ''}\n${cluster}\n${line}`, 'hex')}`;
}
