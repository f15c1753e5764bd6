import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { restCharges } from '../../shared/contracts/rest.ts';
import { restReservations } from '../../shared/contracts/rest-reservations.ts';
import { startRun } from '../support/run-scenario.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { installSpark, SHORT_RUN_JVM, SPARK_VERSIONS } from './servers/spark.ts';

/** Says what Spark itself was told, and runs a job. */
const APPLICATION = `
import sys
from pyspark.sql import SparkSession

session = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.eventLog.enabled", "true")
    .config("spark.eventLog.dir", sys.argv[1])
    .getOrCreate()
)
conf = session.sparkContext.getConf()
print("PROJECT", conf.get("spark.tollgate.project"))
print("RESERVATION", conf.get("spark.tollgate.tag.tollgate.reservation"))
print("SUM", session.range(1000).groupBy().sum("id").collect()[0][0])
session.stop()
`;

for (const version of SPARK_VERSIONS) {
  describe(`tollgate run before Spark ${version}`, { timeout: 600_000 }, () => {
    test('spark-submit, a script around it, and a Python program run under their reservation', async () => {
      const spark = await installSpark(version);
      await using folder = await temporaryFolder();
      const events = join(folder.path, 'events');
      await mkdir(events);
      const app = join(folder.path, 'app.py');
      await writeFile(app, APPLICATION);
      await using tollgate = await RunningTollgate.start(folder.path, {
        containers: { clusters: [{ id: 'lab', eventLogs: [events] }], scanIntervalMs: 500 },
        metering: {
          settleIntervalMs: 500,
          projects: [{ id: 'etl', grants: [{ id: 'g', credits: '100' }] }],
        },
      });
      const submit = join(spark.home, 'bin/spark-submit');
      const commands = [
        [submit, '--name', 'direct', app, events],
        ['sh', '-c', `exec "${submit}" --name wrapped "$0" "$1"`, app, events],
        [spark.python, app, events],
      ];
      const place = { url: tollgate.url, folder: folder.path };
      const env = { ...spark.env, JAVA_TOOL_OPTIONS: SHORT_RUN_JVM };
      for (const command of commands) {
        const run = startRun(place, ['--max-cost', '5', '--', ...command], { env });
        assert.equal(await run.ended, 0, run.err().slice(-4_000));
        assert.match(run.out(), /PROJECT etl\nRESERVATION run-[0-9a-f]{24}\nSUM 499500/);
      }
      const { reservations } = await tollgate.until(
        async () => restReservations.parse(await tollgate.get('/v1/projects/etl/reservations')),
        (answer) => answer.reservations.every(({ applications }) => applications.length === 1),
      );
      assert.deepEqual(
        reservations.map(({ state }) => state),
        ['posted', 'posted', 'posted'],
      );
      const { charges } = await tollgate.until(
        async () => restCharges.parse(await tollgate.get('/v1/projects/etl/charges?from=-2h')),
        (answer) => new Set(answer.charges.map(({ application }) => application)).size === 3,
      );
      const ran = reservations.flatMap(({ applications }) => applications.map(({ id }) => id));
      const charged = [...new Set(charges.map(({ application }) => application))];
      assert.deepEqual(charged.sort(), ran.sort());
    });
  });
}
