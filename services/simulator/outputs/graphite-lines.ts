import type { SimEvent, SimExecutor } from '../platform/sim-event.ts';

/**
 * One report of GraphiteSink for one driver or executor.
 * Source: dropwizard/metrics v4.2 GraphiteReporter: `<name> <value> <epoch seconds>`.
 */
export function graphiteLines(
  event: SimEvent & { kind: 'metrics' },
  executor: SimExecutor,
): string {
  const seconds = Math.floor(event.at / 1_000);
  const prefix = `${event.app.id}.${executor.id}`;
  const alive = Math.max(1, event.at - executor.requestedAt);
  const heap = event.app.workload.executorMemoryMib * 1_048_576;
  const wave = 0.45 + 0.3 * Math.sin(alive / 60_000 + executor.node.length);
  const values: [string, string][] = [
    ['jvm.heap.used', String(Math.round(heap * wave))],
    ['jvm.heap.max', String(heap)],
    ['jvm.heap.usage', wave.toFixed(2)],
    ['jvm.non-heap.usage', '-65229656.00'],
    ['JVMCPU.jvmCpuTime', String(alive * 800_000)],
  ];
  if (executor.id === 'driver') {
    values.push(
      ['DAGScheduler.job.activeJobs', '1'],
      ['BlockManager.memory.memUsed_MB', String(Math.round(300 * wave))],
      ['LiveListenerBus.queue.streams.numDroppedEvents.count', '0'],
    );
  } else {
    values.push(
      ['executor.cpuTime.count', String(alive * 700_000)],
      ['executor.runTime.count', String(alive)],
      ['executor.jvmGCTime.count', String(Math.round(alive / 40))],
      ['executor.threadpool.activeTasks', String(Math.round(wave * 4))],
      ['executor.succeededTasks.count', String(event.tasks)],
      ['ExecutorMetrics.JVMHeapMemory', String(Math.round(heap * wave))],
    );
  }
  return values.map(([name, value]) => `${prefix}.${name} ${value} ${seconds}\n`).join('');
}
