import type { Instant } from '../values/instant.ts';
import {
  instantField,
  isPlausible,
  type JsonObject,
  numberField,
  objectField,
  textField,
} from './json-fields.ts';

/** A task was launched or has ended; what the meter needs of Spark's task events. */
export interface TaskEvent {
  readonly stageId: number;
  readonly stageAttempt: number;
  readonly taskId: number;
  readonly index: number;
  /** Since Spark 3.3. */
  readonly partition: number | undefined;
  readonly executor: string;
  readonly launch: Instant;
  readonly finish: Instant;
  /** `Success`, `TaskKilled`, `FetchFailed`, `Resubmitted` …; '' on launch. */
  readonly reason: string;
  /** Time in the executor, in ms. */
  readonly runMs: number;
}

// Spark's own writer gives these keys in this order, so one match over the line's first bytes finds
// all that is needed; the accumulables and metrics after them are most of the line. Any other order
// or escape doesn't match and is parsed as JSON.
// Source: apache/spark core/…/util/JsonProtocol.scala, taskInfoToJson.
const INFO =
  '"Task Info":\\{"Task ID":(\\d{1,15}),"Index":(\\d{1,9}),"Attempt":\\d{1,9},' +
  '(?:"Partition ID":(-?\\d{1,9}),)?"Launch Time":(\\d{1,15}),"Executor ID":"([ !#-\\[\\]-~]*)",' +
  '"Host":"[ !#-\\[\\]-~]*","Locality":"\\w*","Speculative":(?:true|false),' +
  '"Getting Result Time":\\d{1,15},"Finish Time":(\\d{1,15}),"Failed":(?:true|false)[,}]';
const STAGE = '"Stage ID":(\\d{1,9}),"Stage Attempt ID":(\\d{1,9}),';
const TASK_START = new RegExp(`^\\{"Event":"SparkListenerTaskStart",${STAGE}${INFO}`);
const TASK_END = new RegExp(
  `^\\{"Event":"SparkListenerTaskEnd",${STAGE}"Task Type":"\\w*",` +
    `"Task End Reason":\\{"Reason":"Success"\\},${INFO}`,
);
const METRICS = Buffer.from('"Task Metrics":{');
const RUN_TIME = /"Executor Run Time":(\d{1,15})[,}]/;
/** Room for the matched keys with a long host name. */
const HEAD_BYTES = 1_024;
const METRICS_HEAD_BYTES = 256;

/** Undefined where the metrics begin otherwise than Spark writes them; 0 where there are none. */
function runTimeOf(line: Buffer): number | undefined {
  const at = line.indexOf(METRICS);
  if (at < 0) return 0;
  const match = RUN_TIME.exec(line.toString('latin1', at, at + METRICS_HEAD_BYTES));
  return match === null ? undefined : Number(match[1]);
}

/**
 * Reads a TaskStart or successful TaskEnd line without parsing it; undefined when it is not exactly
 * as Spark writes it, so that it has to be parsed.
 */
export function scanTaskLine(line: Buffer, kind: 'start' | 'end'): TaskEvent | undefined {
  const head = line.toString('latin1', 0, HEAD_BYTES);
  const match = (kind === 'end' ? TASK_END : TASK_START).exec(head);
  if (match === null) return undefined;
  const runMs = kind === 'end' ? runTimeOf(line) : 0;
  const launch = Number(match[6]);
  const finish = Number(match[8]);
  if (runMs === undefined || !isPlausible(launch) || !isPlausible(finish)) return undefined;
  return {
    stageId: Number(match[1]),
    stageAttempt: Number(match[2]),
    taskId: Number(match[3]),
    index: Number(match[4]),
    partition: match[5] === undefined ? undefined : Number(match[5]),
    executor: match[7] ?? '',
    launch,
    finish,
    reason: kind === 'end' ? 'Success' : '',
    runMs,
  };
}

/** The same from a parsed line; undefined when it has no launch time that can be. */
export function readTaskEvent(event: JsonObject): TaskEvent | undefined {
  const info = objectField(event, 'Task Info');
  const launch = instantField(info, 'Launch Time');
  const executor = textField(info, 'Executor ID');
  if (launch === undefined || executor === '') return undefined;
  const runMs = numberField(objectField(event, 'Task Metrics'), 'Executor Run Time') ?? 0;
  return {
    stageId: numberField(event, 'Stage ID') ?? -1,
    stageAttempt: numberField(event, 'Stage Attempt ID') ?? 0,
    taskId: numberField(info, 'Task ID') ?? -1,
    index: numberField(info, 'Index') ?? -1,
    partition: numberField(info, 'Partition ID'),
    executor,
    launch,
    finish: instantField(info, 'Finish Time') ?? launch,
    reason: textField(objectField(event, 'Task End Reason'), 'Reason'),
    runMs: Number.isSafeInteger(runMs) && runMs > 0 ? runMs : 0,
  };
}
