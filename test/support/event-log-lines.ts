/** Lines as Spark writes them, for logs made by hand. */
type Json = Readonly<Record<string, unknown>>;

export const line = (event: string, fields: Json = {}): string =>
  JSON.stringify({ Event: event, ...fields });

export const logStart = (version = '4.1.2'): string =>
  line('SparkListenerLogStart', { 'Spark Version': version });

export const environment = (properties: Json): string =>
  line('SparkListenerEnvironmentUpdate', { 'Spark Properties': properties });

export const applicationStart = (at: number, fields: Json = {}): string =>
  line('SparkListenerApplicationStart', {
    'App Name': 'made',
    'App ID': 'app-1',
    Timestamp: at,
    User: 'alice',
    ...fields,
  });

export const applicationEnd = (at: number, fields: Json = {}): string =>
  line('SparkListenerApplicationEnd', { Timestamp: at, ...fields });

/** @param failure message of the exception that the job failed with */
export const jobEnd = (at: number, failure?: string): string =>
  line('SparkListenerJobEnd', {
    'Job ID': 0,
    'Completion Time': at,
    'Job Result':
      failure === undefined
        ? { Result: 'JobSucceeded' }
        : { Result: 'JobFailed', Exception: { Message: failure, 'Stack Trace': [] } },
  });

export const executorAdded = (at: number, id: string, info: Json = {}): string =>
  line('SparkListenerExecutorAdded', {
    Timestamp: at,
    'Executor ID': id,
    'Executor Info': { Host: 'node-1', 'Total Cores': 2, 'Log Urls': {}, ...info },
  });

export const executorRemoved = (at: number, id: string, reason = 'worker lost'): string =>
  line('SparkListenerExecutorRemoved', {
    Timestamp: at,
    'Executor ID': id,
    'Removed Reason': reason,
  });

export interface TaskLine {
  readonly id: number;
  readonly executor?: string;
  readonly stage?: number;
  readonly attempt?: number;
  readonly index?: number;
  readonly partition?: number;
  readonly launch: number;
  readonly finish?: number;
  readonly reason?: string;
  readonly runMs?: number;
}

function info(task: TaskLine): Json {
  return {
    'Task ID': task.id,
    Index: task.index ?? task.id,
    Attempt: 0,
    ...(task.partition === undefined ? {} : { 'Partition ID': task.partition }),
    'Launch Time': task.launch,
    'Executor ID': task.executor ?? '1',
    Host: 'node-1',
    Locality: 'PROCESS_LOCAL',
    Speculative: false,
    'Getting Result Time': 0,
    'Finish Time': task.finish ?? 0,
    Failed: false,
    Killed: false,
    Accumulables: [],
  };
}

export const taskStart = (task: TaskLine): string =>
  line('SparkListenerTaskStart', {
    'Stage ID': task.stage ?? 0,
    'Stage Attempt ID': task.attempt ?? 0,
    'Task Info': info(task),
  });

export const taskEnd = (task: TaskLine): string =>
  line('SparkListenerTaskEnd', {
    'Stage ID': task.stage ?? 0,
    'Stage Attempt ID': task.attempt ?? 0,
    'Task Type': 'ResultTask',
    'Task End Reason': { Reason: task.reason ?? 'Success' },
    'Task Info': info(task),
    'Task Metrics': { 'Executor Deserialize Time': 1, 'Executor Run Time': task.runMs ?? 0 },
  });

export const stageSubmitted = (stage: number, attempt: number, tasks: number): string =>
  line('SparkListenerStageSubmitted', {
    'Stage Info': {
      'Stage ID': stage,
      'Stage Attempt ID': attempt,
      'Stage Name': 'save at "Job".scala:1',
      'Number of Tasks': tasks,
      'RDD Info': [],
    },
    Properties: {},
  });
