import type { SimEvent } from '../platform/sim-event.ts';

export interface LogLine {
  /** Executor id, or `driver`. */
  readonly executor: string;
  readonly text: string;
}

const pad = (n: number, width = 2): string => String(n).padStart(width, '0');

/** `yy/MM/dd HH:mm:ss`, as log4j2-defaults.properties of Spark prints it; in UTC. */
export function sparkTime(at: number): string {
  const d = new Date(at);
  const date = [d.getUTCFullYear() % 100, d.getUTCMonth() + 1, d.getUTCDate()];
  const time = [d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()];
  return `${date.map((n) => pad(n)).join('/')} ${time.map((n) => pad(n)).join(':')}`;
}

const TRACE = [
  'java.io.IOException: Failed to connect to shuffle-07.lab/10.4.2.17:7337',
  '\tat org.apache.spark.network.client.TransportClientFactory.createClient(TransportClientFactory.java:294)',
  '\tat org.apache.spark.network.shuffle.ExternalBlockStoreClient.lambda$fetchBlocks$0(ExternalBlockStoreClient.java:132)',
  '\tat java.base/java.lang.Thread.run(Thread.java:840)',
  'Caused by: io.netty.channel.AbstractChannel$AnnotatedConnectException: Connection refused',
  '\t... 12 more',
].join('\n');

function taskLines(event: SimEvent & { kind: 'task-started' | 'task-ended' }): LogLine[] {
  const { task } = event;
  const name = `task ${task.index}.${task.attempt} in stage ${task.stage}.0 (TID ${task.id})`;
  const line = (text: string): LogLine => ({ executor: task.executor, text });
  const driver = (text: string): LogLine => ({ executor: 'driver', text });
  if (event.kind === 'task-started') {
    return [line(`INFO Executor: Running ${name}`)];
  }
  const ms = task.finish - task.launch;
  if (task.outcome === 'success') {
    return [
      line(`INFO Executor: Finished ${name}. 2048 bytes result sent to driver`),
      driver(`INFO TaskSetManager: Finished ${name} in ${ms} ms (executor ${task.executor})`),
    ];
  }
  if (task.outcome === 'lost') return [driver(`WARN TaskSetManager: Lost ${name}: executor lost`)];
  return [
    line(`ERROR Executor: Exception in ${name}\n${TRACE}`),
    driver(`WARN TaskSetManager: Lost ${name} (executor ${task.executor}): ${TRACE}`),
  ];
}

function bodies(event: SimEvent): LogLine[] {
  const driver = (text: string): LogLine => ({ executor: 'driver', text });
  switch (event.kind) {
    case 'application-started':
      return [
        driver('INFO SparkContext: Running Spark version 3.5.6'),
        driver(`INFO SparkContext: Submitted application: ${event.app.workload.name}`),
        driver('INFO S3AFileSystem: using jdbc:postgresql://etl:s3cr3t-pw@db.lab:5432/orders'),
      ];
    case 'application-ended':
      return [driver('INFO SparkContext: Successfully stopped SparkContext')];
    case 'executor-added':
      return [
        {
          executor: event.executor.id,
          text: 'INFO CoarseGrainedExecutorBackend: Successfully registered with driver',
        },
      ];
    case 'executor-removed':
      return [driver(`ERROR YarnScheduler: Lost executor ${event.executor.id}: ${event.reason}`)];
    case 'job-started':
      return [driver(`INFO DAGScheduler: Got job ${event.job} (save at Job.scala:42)`)];
    case 'job-ended':
      return [driver(`INFO DAGScheduler: Job ${event.job} finished: save at Job.scala:42`)];
    case 'stage-submitted':
      return [
        driver(
          `INFO TaskSchedulerImpl: Adding task set ${event.stage}.0 with ${event.tasks} tasks`,
        ),
      ];
    case 'stage-completed':
      return [driver(`INFO TaskSchedulerImpl: Removed TaskSet ${event.stage}.0, all completed`)];
    case 'task-started':
    case 'task-ended':
      return taskLines(event);
    case 'query-started':
      return [driver(`INFO MicroBatchExecution: Starting [id = ${event.id}]`)];
    case 'progress':
      return event.progress.rows > 0
        ? []
        : [driver('WARN KafkaMicroBatchStream: Fetch position did not move')];
    case 'metrics':
      return [];
  }
}

/** What driver and executors log about this event, in Spark's default layout. */
export function logLines(event: SimEvent): LogLine[] {
  const time = sparkTime(event.at);
  return bodies(event).map(({ executor, text }) => ({ executor, text: `${time} ${text}\n` }));
}
