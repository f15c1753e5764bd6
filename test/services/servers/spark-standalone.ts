import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../support/running-tollgate.ts';
import { ServerProcess } from './server-process.ts';
import { SHORT_RUN_JVM, type SparkHome } from './spark.ts';

export interface StandaloneWorker {
  readonly process: ServerProcess;
  /** The last part of the name that the master gives it. */
  readonly port: number;
  /** Lines `<epoch ms> <message>`. */
  readonly logFile: string;
}

export interface RunningStandalone extends AsyncDisposable {
  /** The REST submission server. */
  readonly submissionUrl: string;
  /** `spark://127.0.0.1:port` */
  readonly master: string;
  /** The master's web address, whose `/json/` the cluster reader asks. */
  readonly url: string;
  /** The workers lay an executor's files at `<application>/<executor>/stderr` below it. */
  readonly workFolder: string;
  /** Lines `<epoch ms> <message>`. */
  readonly masterLogFile: string;
  readonly workers: readonly StandaloneWorker[];
}

export interface StandaloneSize {
  /** Options of the master's JVM. */
  readonly masterOptions?: readonly string[];
  readonly workers: number;
  /** Of each. */
  readonly cores: number;
  /** Of each, as Spark writes it. */
  readonly memory: string;
}

const ONE_SMALL: StandaloneSize = { workers: 1, cores: 2, memory: '2g' };

/** Lines `<epoch ms> <message>`: what daemons log by themselves has seconds only. */
async function logToFile(folder: string, name: string): Promise<{ file: string; option: string }> {
  const file = join(folder, `${name}.log`);
  const configuration = join(folder, `${name}.log4j2.properties`);
  const lines = [
    'rootLogger.level = info',
    'rootLogger.appenderRef.file.ref = file',
    'appender.file.type = File',
    'appender.file.name = file',
    `appender.file.fileName = ${file}`,
    'appender.file.layout.type = PatternLayout',
    'appender.file.layout.pattern = %d{UNIX_MILLIS} %m%n',
  ];
  await writeFile(configuration, lines.join('\n'));
  return { file, option: `-Dlog4j2.configurationFile=file:${configuration}` };
}

/** A master and its workers, each a JVM of 256 MB. */
export async function startStandalone(
  spark: SparkHome,
  folder: string,
  size = ONE_SMALL,
): Promise<RunningStandalone> {
  const [port, masterUi] = [await freePort(), await freePort()];
  const workFolder = join(folder, 'work');
  await mkdir(workFolder, { recursive: true });
  const master = `spark://127.0.0.1:${port}`;
  const url = `http://127.0.0.1:${masterUi}`;
  const alive = async (): Promise<number> => {
    const answer = await fetch(`${url}/json/`);
    return ((await answer.json()) as { aliveworkers: number }).aliveworkers;
  };
  const restPort = await freePort();
  const rest = ['enabled=true', 'host=127.0.0.1', `port=${restPort}`];
  const start = async (name: string, logName: string, args: readonly string[], least: number) => {
    const { file, option } = await logToFile(folder, logName);
    const process = await ServerProcess.start({
      name: `Spark's ${name}`,
      command: join(spark.home, 'bin/spark-class'),
      args: [`org.apache.spark.deploy.${name}`, '-h', '127.0.0.1', ...args],
      env: {
        ...spark.env,
        SPARK_DAEMON_MEMORY: '256m',
        SPARK_DAEMON_JAVA_OPTS: `${SHORT_RUN_JVM} ${option}`,
        SPARK_MASTER_OPTS: [
          ...rest.map((one) => `-Dspark.master.rest.${one}`),
          ...(size.masterOptions ?? []),
        ].join(' '),
      },
      stopSignal: 'SIGTERM',
      ready: async () => (await alive()) >= least,
    });
    return { process, logFile: file };
  };
  await using started = new AsyncDisposableStack();
  const ports = ['-p', `${port}`, '--webui-port', `${masterUi}`];
  const main = await start('master.Master', 'master', ports, 0);
  started.use(main.process);
  const workers: StandaloneWorker[] = [];
  for (let n = 1; n <= size.workers; n += 1) {
    const [own, ui] = [await freePort(), await freePort()];
    const args = ['-c', `${size.cores}`, '-m', size.memory, '-d', workFolder];
    const at = ['-p', `${own}`, '--webui-port', `${ui}`, master];
    const worker = await start('worker.Worker', `worker-${n}`, [...args, ...at], n);
    started.use(worker.process);
    workers.push({ ...worker, port: own });
  }
  const open = started.move();
  return {
    ...{ master, url, workFolder, workers },
    submissionUrl: `http://127.0.0.1:${restPort}`,
    masterLogFile: main.logFile,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
