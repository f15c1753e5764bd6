const LOGGERS = [
  'TaskSetManager',
  'Executor',
  'MemoryStore',
  'BlockManagerInfo',
  'DAGScheduler',
  'MicroBatchExecution',
];
const TEMPLATES: ((n: number) => string)[] = [
  (n) =>
    `Starting task ${n % 200}.0 in stage ${n % 977}.0 (TID ${n}) (10.0.${n % 250}.7, executor ${n % 40}, partition ${n % 200}, PROCESS_LOCAL, 9${n % 1000} bytes)`,
  (n) =>
    `Finished task ${n % 200}.0 in stage ${n % 977}.0 (TID ${n}) in ${n % 3000} ms on 10.0.${n % 250}.7 (executor ${n % 40}) (${n % 200}/200)`,
  (n) =>
    `Block broadcast_${n % 5000}_piece0 stored as bytes in memory (estimated size 11.${n % 10} KiB, free 434.${n % 10} MiB)`,
  (n) => `Running task ${n % 200}.0 in stage ${n % 977}.0 (TID ${n})`,
  (n) =>
    `Committed offsets for batch ${n}. Metadata OffsetSeqMetadata(0,${1795245597336 + n},Map(spark.sql.shuffle.partitions -> 200))`,
  (n) => `Connecting to jdbc:postgresql://db:5432/x?user=bob&password=s3cret${n % 97}`,
];

const two = (n: number): string => String(n).padStart(2, '0');
let second = -1;
let stamp = '';

function stampOf(at: number): string {
  const now = Math.floor(at / 1_000);
  if (now !== second) {
    const date = new Date(at);
    second = now;
    stamp =
      `${two(date.getUTCFullYear() % 100)}/${two(date.getUTCMonth() + 1)}/${two(date.getUTCDate())} ` +
      `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  }
  return stamp;
}

/**
 * The n-th line of a Spark-like log, 1 in 6 with a secret-free template of its own kind, 1 line in 10
 * a stack frame that goes on with the event before it. Events end with the time they were made.
 */
export function logLine(n: number, at: number): string {
  if (n % 10 === 9)
    return `\tat org.apache.spark.scheduler.Task.run(Task.scala:${n % 500}) t=${at}\n`;
  const kind = n % 97 === 0 ? 5 : n % 5;
  const level = n % 50 === 0 ? 'ERROR' : n % 20 === 0 ? 'WARN' : 'INFO';
  const text = TEMPLATES[kind]?.(n) ?? '';
  return `${stampOf(at)} ${level} ${LOGGERS[kind]}: ${text} t=${at}\n`;
}

/** Events among the first n lines. */
export function eventsAmong(n: number): number {
  return n - Math.floor(n / 10);
}
