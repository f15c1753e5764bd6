import type { EventLine } from './event-line.ts';
import { type JsonObject, objectField, parseObject, textField } from './json-fields.ts';

/** By whom the task time of a shared application is told apart. */
export const SHARERS = ['job-group', 'sql-user', 'session'] as const;
export type Sharer = (typeof SHARERS)[number];

const KEY_CHARS = 256;
const MAX_STAGES = 1_000_000;
const MAX_STATEMENTS = 100_000;
const MAX_KEYS = 100_000;

/** Spark Connect's server tags every job so; a session's id is a UUID. */
const CONNECT_TAG = /^SparkConnect_OperationTag_User_(.+)_Session_([^_]+)_Operation_/;
/** Since 4.0 a SparkSession tags its jobs; the tag of one execution goes on behind it. */
const SESSION_TAG = /^spark-session-([0-9a-f-]{36})$/;

interface Caller {
  readonly user: string;
  readonly session: string;
}

/** A map that forgets its oldest entry beyond its limit. */
function remember<K, V>(map: Map<K, V>, key: K, value: V, limit: number): void {
  map.set(key, value);
  if (map.size <= limit) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

/**
 * Task time of one application, by job group, SQL user or session. A task belongs to the first job
 * that names its stage; '' stands for jobs of nobody, and for tasks of no job that the log tells.
 *
 * - job group: `spark.jobGroup.id` of the job's properties
 * - SQL user and session: Spark Connect's job tag; for the Thrift server, whose statement's id is the
 *   job group, the event of the statement's start; a session also by its own tag (since Spark 4)
 *
 * Sources: apache/spark sql/connect/…/service/ExecuteHolder.scala (ExecuteJobTag);
 * sql/hive-thriftserver/…/ui/HiveThriftServer2EventManager.scala; sql/…/classic/SparkSession.scala.
 */
export class SharedTaskTime {
  readonly #sharer: Sharer;
  readonly #stages = new Map<number, string>();
  readonly #statements = new Map<string, Caller>();
  readonly #taskMs = new Map<string, number>();

  constructor(sharer: Sharer) {
    this.#sharer = sharer;
  }

  /** @param line of the log, whose `event` was read from it */
  push(line: Buffer, event: EventLine): void {
    if (event.kind === 'task-end') {
      const { reason, stageId, launch, finish } = event.task;
      // Spark repeats the end of a task whose output was lost; its time is counted already.
      if (reason === 'Resubmitted' || finish <= launch) return;
      this.#add(this.#stages.get(stageId) ?? '', finish - launch);
    } else if (event.kind === 'other' && event.name === 'SparkListenerJobStart') {
      this.#job(parseObject(line) ?? {});
    } else if (event.kind === 'other' && event.name === 'SparkListenerThriftServerOperationStart') {
      this.#statement(parseObject(line) ?? {});
    }
  }

  /** Ms of slots that tasks held until they ended, by sharer. */
  get taskMs(): ReadonlyMap<string, number> {
    return this.#taskMs;
  }

  /** More sharers than can be told apart are one: ''. */
  #add(key: string, ms: number): void {
    const name = this.#taskMs.has(key) || this.#taskMs.size < MAX_KEYS ? key : '';
    this.#taskMs.set(name, (this.#taskMs.get(name) ?? 0) + ms);
  }

  #statement(event: JsonObject): void {
    const caller = {
      user: textField(event, 'userName', KEY_CHARS),
      session: textField(event, 'sessionId', KEY_CHARS),
    };
    for (const group of [textField(event, 'groupId'), textField(event, 'id')]) {
      if (group !== '') remember(this.#statements, group, caller, MAX_STATEMENTS);
    }
  }

  #job(event: JsonObject): void {
    const stages = Array.isArray(event['Stage IDs']) ? (event['Stage IDs'] as unknown[]) : [];
    const key = this.#keyOf(objectField(event, 'Properties'));
    for (const stage of stages) {
      if (typeof stage !== 'number' || this.#stages.has(stage)) continue;
      remember(this.#stages, stage, key, MAX_STAGES);
    }
  }

  #keyOf(properties: JsonObject): string {
    const group = textField(properties, 'spark.jobGroup.id');
    if (this.#sharer === 'job-group') return group.slice(0, KEY_CHARS);
    const tags = textField(properties, 'spark.job.tags', 65_536).split(',');
    for (const tag of tags) {
      const [, user = '', session = ''] = CONNECT_TAG.exec(tag) ?? [];
      if (session !== '') {
        return (this.#sharer === 'sql-user' ? user : session).slice(0, KEY_CHARS);
      }
    }
    const statement = this.#statements.get(group);
    if (statement !== undefined) {
      return this.#sharer === 'sql-user' ? statement.user : statement.session;
    }
    if (this.#sharer === 'sql-user') return '';
    return tags.map((tag) => SESSION_TAG.exec(tag)?.[1]).find((id) => id !== undefined) ?? '';
  }
}
