import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOfCommand } from './plan-of-command.ts';

const plan = (line: string) => planOfCommand(line.split(' '));

test('the name is what --name, a property, or else the script says', () => {
  for (const [line, name] of [
    ['spark-submit --name nightly --master yarn job.py --name not-this', 'nightly'],
    ['spark-submit --conf spark.app.name=weekly job.py', 'weekly'],
    ['spark-submit --verbose --name=daily job.py', 'daily'],
    [
      '/opt/spark/bin/spark-submit --class a.B --jars x.jar s3://bucket/app-1.2.jar in out',
      'app-1.2.jar',
    ],
    ['pyspark', 'pyspark'],
    ['spark-sql --master yarn', 'spark-sql'],
    ['/usr/bin/python3 job.py', 'python3'],
  ] as const) {
    assert.equal(plan(line).application, name, line);
  }
});

test('resources follow from executors, their size, and what the cluster runs beside them', () => {
  const client = '--master yarn --num-executors 10 --executor-cores 4 --executor-memory 8g';
  assert.deepEqual(plan(`spark-submit ${client} job.py`).resources, {
    ...{ cores: 41, memoryMib: 10 * (8_192 + 819) + 512 + 384, gpus: 0 },
    ...{ executors: 10, containers: 11 },
  });
  const cluster = `${client} --deploy-mode cluster --driver-cores 2 --driver-memory 2g`;
  assert.deepEqual(plan(`spark-submit ${cluster} job.py`).resources, {
    ...{ cores: 42, memoryMib: 10 * 9_011 + 2_048 + 384, gpus: 0 },
    ...{ executors: 10, containers: 11 },
  });
});

test('an upper bound of dynamic allocation, or of all cores, tells how many executors', () => {
  const dynamic = '--conf spark.dynamicAllocation.maxExecutors=5 --executor-cores 2';
  assert.equal(plan(`spark-submit ${dynamic} job.py`).resources?.cores, 10);
  const total = '--master spark://m:7077 --total-executor-cores 9 --executor-cores 2';
  const planned = plan(`spark-submit ${total} job.py`).resources;
  assert.deepEqual(
    [planned?.executors, planned?.containers, planned?.memoryMib],
    [4, 4, 4 * 1_024],
  );
});

test('a command that does not tell how much it takes has no resources', () => {
  for (const line of ['spark-submit job.py', 'spark-submit --executor-cores 4 j.py', 'sh -c x']) {
    assert.equal(plan(line).resources, undefined, line);
  }
});

test('odd command lines are read as far as they go', () => {
  assert.equal(plan('spark-submit --name').application, 'spark-submit');
  assert.equal(planOfCommand([]).application, '');
  assert.equal(plan('spark-submit --num-executors many job.py').resources, undefined);
});
