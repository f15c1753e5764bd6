import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportCost } from '../../services/reports/report-cost.ts';
import { systemClock } from '../../shared/runtime/clock.ts';

const DEFAULT_MIB = 300;
const START = 1_795_000_000_000;
const EXECUTORS = 50;
const ACCUMULABLES = [
  'internal.metrics.executorDeserializeTime',
  'internal.metrics.executorDeserializeCpuTime',
  'internal.metrics.executorRunTime',
  'internal.metrics.executorCpuTime',
  'internal.metrics.resultSize',
  'internal.metrics.jvmGCTime',
  'internal.metrics.peakExecutionMemory',
  'internal.metrics.shuffle.read.recordsRead',
  'internal.metrics.shuffle.write.bytesWritten',
  'number of output rows',
  'duration',
  'data size',
];

const info = (task: number, at: number, finish: number, accumulables: string): string =>
  `"Task Info":{"Task ID":${task},"Index":${task % 1000},"Attempt":0,"Partition ID":${task % 1000},` +
  `"Launch Time":${at},"Executor ID":"${task % EXECUTORS}","Host":"node-${task % EXECUTORS}.cluster",` +
  `"Locality":"PROCESS_LOCAL","Speculative":false,"Getting Result Time":0,"Finish Time":${finish},` +
  `"Failed":false,"Killed":false,"Accumulables":[${accumulables}]}`;

const METRICS =
  '"Task Executor Metrics":{"JVMHeapMemory":0,"JVMOffHeapMemory":0,"OnHeapExecutionMemory":0,' +
  '"OffHeapExecutionMemory":0,"OnHeapStorageMemory":0,"OffHeapStorageMemory":0,"ProcessTreeJVMVMemory":0,' +
  '"MinorGCCount":0,"MinorGCTime":0,"MajorGCCount":0,"MajorGCTime":0,"TotalGCTime":0},' +
  '"Task Metrics":{"Executor Deserialize Time":49,"Executor Deserialize CPU Time":15943364,' +
  '"Executor Run Time":912,"Executor CPU Time":822064320,"Peak Execution Memory":0,"Result Size":1086,' +
  '"JVM GC Time":11,"Result Serialization Time":2,"Memory Bytes Spilled":0,"Disk Bytes Spilled":0,' +
  '"Shuffle Read Metrics":{"Remote Blocks Fetched":3,"Local Blocks Fetched":1,"Fetch Wait Time":0,' +
  '"Remote Bytes Read":44112,"Remote Bytes Read To Disk":0,"Local Bytes Read":981,"Total Records Read":412},' +
  '"Shuffle Write Metrics":{"Shuffle Bytes Written":4123,"Shuffle Write Time":959930,"Shuffle Records Written":77},' +
  '"Input Metrics":{"Bytes Read":1048576,"Records Read":9120},"Output Metrics":{"Bytes Written":0,"Records Written":0},' +
  '"Updated Blocks":[]}';

/** Lines in the proportions of a batch application: per task a start and an end, plans in between. */
function* lines(): Generator<string> {
  yield '{"Event":"SparkListenerLogStart","Spark Version":"3.5.1"}';
  yield `{"Event":"SparkListenerEnvironmentUpdate","Spark Properties":{"spark.master":"yarn"}}`;
  yield `{"Event":"SparkListenerApplicationStart","App Name":"bench","App ID":"application_1_1","Timestamp":${START},"User":"bench"}`;
  for (let id = 0; id < EXECUTORS; id += 1) {
    yield `{"Event":"SparkListenerExecutorAdded","Timestamp":${START},"Executor ID":"${id}","Executor Info":{"Host":"node-${id}","Total Cores":4,"Log Urls":{},"Attributes":{},"Resources":{},"Resource Profile Id":0}}`;
  }
  const plan = '\\n+- *(1) Project [id#12L AS key#14L]\\n   +- *(1) Scan parquet'.repeat(300);
  for (let task = 0; ; task += 1) {
    const at = START + Math.floor(task / (EXECUTORS * 4)) * 1_000;
    const stage = Math.floor(task / 1000);
    if (task % 1000 === 0) {
      yield `{"Event":"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart","executionId":${stage},"description":"save","details":"","physicalPlanDescription":"${plan}","time":${at}}`;
      yield `{"Event":"SparkListenerStageSubmitted","Stage Info":{"Stage ID":${stage},"Stage Attempt ID":0,"Stage Name":"save at Job.scala:12","Number of Tasks":1000,"RDD Info":[]},"Properties":{}}`;
    }
    const ids = `"Stage ID":${stage},"Stage Attempt ID":0`;
    yield `{"Event":"SparkListenerTaskStart",${ids},${info(task, at, 0, '')}}`;
    const updates = ACCUMULABLES.map(
      (name, index) =>
        `{"ID":${index},"Name":"${name}","Update":${task},"Value":${task * 7},"Internal":true,"Count Failed Values":true}`,
    );
    yield `{"Event":"SparkListenerTaskEnd",${ids},"Task Type":"ShuffleMapTask","Task End Reason":{"Reason":"Success"},${info(task, at, at + 950, updates.join(','))},${METRICS}}`;
  }
}

async function generate(path: string, bytes: number): Promise<void> {
  const out = createWriteStream(path);
  let written = 0;
  let block = '';
  for (const line of lines()) {
    block += `${line}\n`;
    if (block.length < 1 << 20) continue;
    written += block.length;
    if (!out.write(block)) await new Promise((resolve) => out.once('drain', resolve));
    block = '';
    if (written >= bytes) break;
  }
  await new Promise((resolve) => out.end(resolve));
}

/**
 * `tollgate report` over a generated log of 300 MiB, or of TOLLGATE_BENCH_REPORT_MIB. Prints MiB per
 * second of processor time, and the most memory that the process held (the generator's included).
 */
export async function run(print: (line: string) => void): Promise<void> {
  const mib = Number(process.env['TOLLGATE_BENCH_REPORT_MIB'] ?? DEFAULT_MIB);
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-bench-'));
  try {
    const path = join(folder, 'application_1_1');
    await generate(path, mib * 2 ** 20);
    const size = (await stat(path)).size / 2 ** 20;
    const cpuBefore = process.cpuUsage();
    const before = systemClock.elapsed();
    const report = await reportCost({
      paths: [path],
      by: 'application',
      unused: 'by-use',
      ratesFile: undefined,
      rulesFile: undefined,
      yarnMemoryStepMib: 0,
      onProgress: () => undefined,
      signal: new AbortController().signal,
    });
    const seconds = (systemClock.elapsed() - before) / 1000;
    const cpu = process.cpuUsage(cpuBefore);
    const cpuSeconds = (cpu.user + cpu.system) / 1e6;
    const rss = process.resourceUsage().maxRSS / 1024;
    const slots = report.total.slots;
    const rate = (by: number): string => (size / by).toFixed(0);
    print(`report: ${size.toFixed(0)} MiB of uncompressed event log in ${seconds.toFixed(2)} s`);
    print(
      `  ${rate(cpuSeconds)} MiB per CPU-second, ${rate(seconds)} MiB/s; peak memory ${rss.toFixed(0)} MiB`,
    );
    print(`  useful ${((100 * slots.usefulMs) / slots.slotMs).toFixed(1)} % of the slot time`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
