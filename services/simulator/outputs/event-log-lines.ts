import type { SimApplication, SimEvent, SimTask } from '../platform/sim-event.ts';

/**
 * Lines of a Spark event log, as core/…/util/JsonProtocol.scala of Spark 3.5 writes them, without
 * the parts that nobody meters (plans, accumulables, call sites).
 */
export type EventLogContext = {
  readonly driverNode: string;
  readonly driverContainer: string;
  /** Executor id to node, for task lines. */
  readonly nodeOf: (executor: string) => string;
};

function sparkProperties(app: SimApplication): Record<string, string> {
  const { workload } = app;
  const yarn = workload.cluster === 'yarn-main';
  return {
    'spark.app.id': app.id,
    'spark.app.name': workload.name,
    'spark.master': yarn ? 'yarn' : 'spark://spark-lab:7077',
    'spark.submit.deployMode': yarn ? 'cluster' : 'client',
    'spark.driver.memory': '1664m',
    'spark.executor.cores': String(workload.executorCores),
    'spark.executor.memory': `${workload.executorMemoryMib}m`,
    'spark.dynamicAllocation.enabled': 'true',
    'spark.dynamicAllocation.executorIdleTimeout': '60s',
    'spark.hadoop.fs.s3a.secret.key': '*********(redacted)',
    ...(yarn ? { 'spark.yarn.queue': workload.queue } : {}),
    ...(workload.project === '' ? {} : { 'spark.tollgate.project': workload.project }),
    'spark.tollgate.tag.CostCenter': workload.project === 'ads' ? 'CC-4711' : 'CC-1000',
  };
}

function taskInfo(task: SimTask, context: EventLogContext, ended: boolean): object {
  return {
    'Task ID': task.id,
    Index: task.index,
    Attempt: task.attempt,
    'Partition ID': task.index,
    'Launch Time': task.launch,
    'Executor ID': task.executor,
    Host: context.nodeOf(task.executor),
    Locality: 'NODE_LOCAL',
    Speculative: false,
    'Getting Result Time': 0,
    'Finish Time': ended ? task.finish : 0,
    Failed: ended && task.outcome !== 'success',
    Killed: false,
    Accumulables: [],
  };
}

function taskEndReason(task: SimTask): object {
  if (task.outcome === 'success') return { Reason: 'Success' };
  if (task.outcome === 'lost') {
    return {
      Reason: 'ExecutorLostFailure',
      'Executor ID': task.executor,
      'Exit Caused By App': false,
      'Loss Reason': 'Container was preempted.',
    };
  }
  return {
    Reason: 'ExceptionFailure',
    'Class Name': 'java.io.IOException',
    Description: 'Connection reset by peer',
    'Stack Trace': [],
    'Full Stack Trace': 'java.io.IOException: Connection reset by peer\n\tat sun.nio.ch.x(x)\n',
  };
}

function taskMetrics(task: SimTask): object {
  const run = Math.max(1, task.finish - task.launch - 20);
  return {
    'Executor Deserialize Time': 12,
    'Executor Deserialize CPU Time': 9_000_000,
    'Executor Run Time': run,
    'Executor CPU Time': run * 800_000,
    'Peak Execution Memory': 1_048_576,
    'Result Size': 2_048,
    'JVM GC Time': Math.floor(run / 30),
    'Result Serialization Time': 1,
    'Memory Bytes Spilled': 0,
    'Disk Bytes Spilled': 0,
    'Input Metrics': { 'Bytes Read': 4_194_304, 'Records Read': 20_000 },
  };
}

function stageInfo(stage: number, tasks: number, at: { submitted?: number; completed?: number }) {
  return {
    'Stage ID': stage,
    'Stage Attempt ID': 0,
    'Stage Name': `save at Job.scala:${40 + (stage % 50)}`,
    'Number of Tasks': tasks,
    'RDD Info': [],
    'Parent IDs': [],
    Details: '',
    ...(at.submitted === undefined ? {} : { 'Submission Time': at.submitted }),
    ...(at.completed === undefined ? {} : { 'Completion Time': at.completed }),
    Accumulables: [],
    'Resource Profile Id': 0,
  };
}

function startLines(event: SimEvent, context: EventLogContext): object[] {
  const { app, at } = event;
  const yarn = app.workload.cluster === 'yarn-main';
  return [
    { Event: 'SparkListenerLogStart', 'Spark Version': '3.5.6' },
    {
      Event: 'SparkListenerResourceProfileAdded',
      'Resource Profile Id': 0,
      'Executor Resource Requests': {
        cores: { 'Resource Name': 'cores', Amount: app.workload.executorCores },
        memory: { 'Resource Name': 'memory', Amount: app.workload.executorMemoryMib },
      },
      'Task Resource Requests': { cpus: { 'Resource Name': 'cpus', Amount: 1.0 } },
    },
    {
      Event: 'SparkListenerEnvironmentUpdate',
      'JVM Information': { 'Java Version': '17.0.15 (Debian)' },
      'Spark Properties': sparkProperties(app),
      'Hadoop Properties': {},
      'System Properties': {},
      'Metrics Properties': {},
      'Classpath Entries': {},
    },
    {
      Event: 'SparkListenerApplicationStart',
      'App Name': app.workload.name,
      'App ID': app.id,
      Timestamp: at - 1_500,
      User: app.workload.user,
      ...(yarn
        ? {
            'App Attempt ID': String(app.attempt),
            'Driver Logs': { stderr: `http://${context.driverNode}:8042/node/containerlogs` },
            'Driver Attributes': { CONTAINER_ID: context.driverContainer },
          }
        : {}),
    },
  ];
}

function executorLine(event: SimEvent & { kind: 'executor-added' }): object {
  const { executor, app, at } = event;
  const yarn = app.workload.cluster === 'yarn-main';
  return {
    Event: 'SparkListenerExecutorAdded',
    Timestamp: at,
    'Executor ID': executor.id,
    'Executor Info': {
      Host: executor.node,
      'Total Cores': app.workload.executorCores,
      'Log Urls': {},
      Attributes: yarn ? { CONTAINER_ID: executor.container, NM_HOST: executor.node } : {},
      Resources: {},
      'Resource Profile Id': 0,
      'Registration Time': at,
      'Request Time': executor.requestedAt,
    },
  };
}

/** The lines that this event adds to its application's log, in order; none for other events. */
export function eventLogLines(event: SimEvent, context: EventLogContext): object[] {
  const { at } = event;
  switch (event.kind) {
    case 'application-started':
      return startLines(event, context);
    case 'application-ended':
      return [{ Event: 'SparkListenerApplicationEnd', Timestamp: at }];
    case 'executor-added':
      return [executorLine(event)];
    case 'executor-removed':
      return [
        {
          Event: 'SparkListenerExecutorRemoved',
          Timestamp: at,
          'Executor ID': event.executor.id,
          'Removed Reason': event.reason,
        },
      ];
    case 'job-started':
      return [
        {
          Event: 'SparkListenerJobStart',
          'Job ID': event.job,
          'Submission Time': at,
          'Stage Infos': [],
          'Stage IDs': event.stages,
          Properties: {},
        },
      ];
    case 'job-ended': {
      const result = event.failed ? 'JobFailed' : 'JobSucceeded';
      return [
        {
          Event: 'SparkListenerJobEnd',
          'Job ID': event.job,
          'Completion Time': at,
          'Job Result': { Result: result },
        },
      ];
    }
    case 'stage-submitted': {
      const info = stageInfo(event.stage, event.tasks, { submitted: at });
      return [{ Event: 'SparkListenerStageSubmitted', 'Stage Info': info, Properties: {} }];
    }
    case 'stage-completed': {
      const info = stageInfo(event.stage, event.tasks, { completed: at });
      return [{ Event: 'SparkListenerStageCompleted', 'Stage Info': info }];
    }
    case 'task-started':
      return [
        {
          Event: 'SparkListenerTaskStart',
          'Stage ID': event.task.stage,
          'Stage Attempt ID': 0,
          'Task Info': taskInfo(event.task, context, false),
        },
      ];
    case 'task-ended':
      return [
        {
          Event: 'SparkListenerTaskEnd',
          'Stage ID': event.task.stage,
          'Stage Attempt ID': 0,
          'Task Type': 'ResultTask',
          'Task End Reason': taskEndReason(event.task),
          'Task Info': taskInfo(event.task, context, true),
          'Task Executor Metrics': { JVMHeapMemory: 0 },
          'Task Metrics': taskMetrics(event.task),
        },
      ];
    case 'query-started':
    case 'progress':
    case 'metrics':
      return [];
  }
}
