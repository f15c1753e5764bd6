import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../support/running-tollgate.ts';
import { ServerProcess } from './server-process.ts';
import { SHORT_RUN_JVM, type SparkHome } from './spark.ts';

export interface RunningStandalone extends AsyncDisposable {
  /** `spark://127.0.0.1:port` */
  readonly master: string;
  /** The master's web address, whose `/json/` the cluster reader asks. */
  readonly url: string;
  /** The worker lays an executor's files at `<application>/<executor>/stderr` below it. */
  readonly workFolder: string;
}

/** A master and one worker of two cores and 2 GiB, each a JVM of 256 MB. */
export async function startStandalone(
  spark: SparkHome,
  folder: string,
): Promise<RunningStandalone> {
  const [port, masterUi, workerUi] = [await freePort(), await freePort(), await freePort()];
  const workFolder = join(folder, 'work');
  await mkdir(workFolder, { recursive: true });
  const master = `spark://127.0.0.1:${port}`;
  const url = `http://127.0.0.1:${masterUi}`;
  const workers = async (): Promise<number> => {
    const answer = await fetch(`${url}/json/`);
    return ((await answer.json()) as { aliveworkers: number }).aliveworkers;
  };
  const start = (name: string, args: readonly string[], ready: () => Promise<boolean>) =>
    ServerProcess.start({
      name: `Spark's ${name}`,
      command: join(spark.home, 'bin/spark-class'),
      args: [`org.apache.spark.deploy.${name}`, '-h', '127.0.0.1', ...args],
      env: { ...spark.env, SPARK_DAEMON_MEMORY: '256m', SPARK_DAEMON_JAVA_OPTS: SHORT_RUN_JVM },
      stopSignal: 'SIGTERM',
      ready,
    });
  await using started = new AsyncDisposableStack();
  const ports = ['-p', `${port}`, '--webui-port', `${masterUi}`];
  started.use(await start('master.Master', ports, async () => (await workers()) >= 0));
  const size = ['-c', '2', '-m', '2g', '-d', workFolder, '--webui-port', `${workerUi}`];
  started.use(await start('worker.Worker', [...size, master], async () => (await workers()) > 0));
  const open = started.move();
  return { master, url, workFolder, [Symbol.asyncDispose]: () => open.disposeAsync() };
}
