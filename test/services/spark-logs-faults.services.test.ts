import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, temporaryFolder } from '../support/running-tollgate.ts';
import { installSpark, SPARK_VERSIONS, type SparkRun } from './servers/spark.ts';
import { CommandedApplication } from './spark/commanded-application.ts';
import { KeepingCollector } from './spark/keeping-collector.ts';

const LAYOUTS = resolve(import.meta.dirname, '../../services/spark-agent/log4j2');
/** Four lines each: more than the queue holds. */
const JOB = 'job 500';
/** 12 MB of long lines: more than the kernels of both ends hold for a connection nobody reads. */
const FILL = 'fill 200';
/** Events that wait in memory; few, so that they fill in seconds. */
const QUEUE = 500;
/** What the kernels hold of a connection that dies, of 250 bytes or more each: 4 MB. */
const IN_KERNEL = 17_000;
const SAID = /^\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d [A-Z]+ \S+: /gm;

/** How far the collector and the count of lost lines were when a command had come through. */
interface Mark {
  readonly command: number;
  readonly received: number;
  readonly lost: number;
}

/** Waits for what another process does; a hang ends with the suite's own deadline. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((next) => setTimeout(next, 50));
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

for (const version of SPARK_VERSIONS) {
  describe(`one application on Spark ${version}, and its collector of logs`, {
    timeout: 400_000,
  }, () => {
    const resources = new AsyncDisposableStack();
    let folder = '';
    let port = 0;
    let application: CommandedApplication;
    let collector: KeepingCollector;
    const marks: Record<string, Mark> = {};
    let fell = 0;
    let ended: SparkRun;

    /** The count in the last line of the file of lost lines, which is rolled over at 1 MB. */
    const lost = (): number => {
      for (const name of ['lost.log', 'lost.log.1']) {
        const file = join(folder, name);
        const text = existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : '';
        const count = /Tollgate: (\d+) lines[^\n]*$/.exec(text)?.[1];
        if (count !== undefined) return Number(count);
      }
      return 0;
    };

    /** Lines before a command's own, in what the collector read or the application printed. */
    const linesBefore = (text: string, command: number, line: RegExp): number => {
      const at = text.search(new RegExp(`COMMAND ${command}\\b`));
      assert.ok(at >= 0, `COMMAND ${command} is not there`);
      const begin = Math.max(text.lastIndexOf('\n', at), 0);
      return text.slice(0, begin + 1).match(line)?.length ?? 0;
    };

    /** Returns once the collector has what was said before; tells again until it is connected. */
    const mark = async (): Promise<Mark> => {
      for (;;) {
        const command = await application.tell('mark');
        await application.done(command);
        const isThere = () => new RegExp(`COMMAND ${command}\\b`).test(collector.text());
        const gaveUp = AbortSignal.timeout(2_000);
        await until(() => isThere() || gaveUp.aborted);
        if (!isThere()) continue;
        const received = linesBefore(collector.text(), command, /\n/g);
        return { command, received, lost: lost() };
      }
    };

    before(async () => {
      folder = resources.use(await temporaryFolder()).path;
      port = await freePort();
      const layout = join(LAYOUTS, `tcp-spark${version.slice(0, 1)}.properties`);
      const options = [
        `-Dlog4j2.configurationFile=file:${layout}`,
        `-Dtollgate.log.port=${port}`,
        `-Dtollgate.log.queue=${QUEUE}`,
        '-Dtollgate.log.reconnectMs=500',
        `-Dtollgate.log.lost=${join(folder, 'lost.log')}`,
      ].join(' ');
      application = await CommandedApplication.start(await installSpark(version), folder, {
        'spark.master': 'local[2]',
        'spark.driver.extraJavaOptions': options,
      });
    });
    after(() => resources.disposeAsync());

    const startCollector = async (name: string): Promise<KeepingCollector> =>
      resources.use(await KeepingCollector.start(port, join(folder, name)));

    test('a collector that is not there: the job is done, and what it said is counted as lost', async (t) => {
      const seconds = await application.do(JOB);
      await until(() => lost() >= 2_000);
      t.diagnostic(`${seconds.toFixed(1)} s of job, ${lost()} lines counted as lost`);
    });

    test('one that comes gets every line from then on', async (t) => {
      collector = await startCollector('first');
      marks['came'] = await mark();
      await application.do(JOB);
      marks['read'] = await mark();
      const { came, read } = marks as Record<'came' | 'read', Mark>;
      t.diagnostic(`${read.received - came.received} lines received, ${read.lost} lost before`);
      assert.ok(read.received - came.received >= 2_000);
      assert.equal(read.lost, came.lost, 'none is lost while it reads');
    });

    test('one that hangs takes no time from the job: four pairs of jobs in one JVM', async (t) => {
      const reading: number[] = [];
      const hanging: number[] = [];
      for (let round = 0; round < 2; round += 1) {
        reading.push(await application.do(JOB));
        collector.pause();
        const before = lost();
        while (lost() === before) {
          await application.do(FILL);
          await application.do(JOB);
        }
        const full = lost();
        hanging.push(await application.do(JOB), await application.do(JOB));
        assert.ok(lost() > full, 'what finds no room is lost and counted');
        collector.resume();
        await mark();
        reading.push(await application.do(JOB));
      }
      const ratios = hanging.map((seconds, pair) => seconds / (reading[pair] ?? Number.NaN));
      const say = (all: readonly number[]) => all.map((one) => one.toFixed(2)).join(', ');
      t.diagnostic(`reads: ${say(reading)} s; hangs: ${say(hanging)} s`);
      t.diagnostic(`ratios ${say(ratios)}, geometric mean ${geometricMean(ratios).toFixed(3)}`);
      assert.ok(ratios.length >= 4 && ratios.every((ratio) => ratio > 0));
      marks['resumed'] = await mark();
    });

    test('one that dies amid a job, and comes back, gets lines again', async (t) => {
      const command = await application.tell(JOB);
      const job = application.done(command);
      await until(() => new RegExp(`COMMAND ${command}\\b`).test(collector.text()));
      await collector[Symbol.asyncDispose]();
      fell = collector.text().match(/\n/g)?.length ?? 0;
      collector = await startCollector('second');
      await job;
      const connected = await mark();
      await application.do(JOB);
      const back = await mark();
      marks['back'] = back;
      t.diagnostic(`${back.received} lines received by the second, ${back.lost} lost in all`);
      assert.ok(back.received - connected.received >= 2_000);
    });

    test('one that hangs does not keep the application from its end', async (t) => {
      collector.pause();
      await application.do(FILL);
      await application.do(JOB);
      const began = performance.now();
      await application.tell('end');
      ended = await application.ended;
      t.diagnostic(`it ended in ${Math.round(performance.now() - began)} ms`);
      assert.equal(ended.exitCode, 0, ended.stderr.slice(-4_000));
      assert.ok(lost() > (marks['back']?.lost ?? Number.NaN));
    });

    test('each line was received or counted as lost, but what died with a connection', (t) => {
      const said = (at: string) => linesBefore(ended.stderr, marks[at]?.command ?? 0, SAID);
      for (const at of ['came', 'read', 'resumed']) {
        const { received, lost: counted } = marks[at] ?? assert.fail(at);
        t.diagnostic(`${at}: ${said(at)} said, ${received} received, ${counted} lost`);
        assert.equal(received + counted, said(at), at);
      }
      const back = marks['back'] ?? assert.fail('back');
      const missing = said('back') - back.lost - fell - back.received;
      t.diagnostic(`${missing} died with the connection`);
      assert.ok(missing >= 0 && missing < IN_KERNEL, `${missing}`);
    });
  });
}
