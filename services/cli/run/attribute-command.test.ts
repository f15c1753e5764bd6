import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attributeCommand, projectNamedBy } from './attribute-command.ts';

const attribution = { project: 'etl', reservation: 'run-1', quote: 'abc' };

test('a Spark program gets its properties right after its name, before its own options', () => {
  for (const program of ['spark-submit', '/opt/spark/bin/pyspark', 'spark3-submit', 'spark-sql']) {
    const command = [program, '--conf', 'a=b', 'job.py', '--conf', 'for-the-job'];
    const { args } = attributeCommand(command, attribution, {});
    assert.deepEqual(args, [
      ...['--conf', 'spark.tollgate.project=etl'],
      ...['--conf', 'spark.tollgate.tag.tollgate.reservation=run-1'],
      ...['--conf', 'spark.tollgate.tag.tollgate.quote=abc'],
      ...command.slice(1),
    ]);
  }
});

test('another command keeps its arguments; a spark-submit deep inside reads the environment', () => {
  const before = { SPARK_SUBMIT_OPTS: ' -Dmine=1', PATH: '/bin', TOLLGATE_QUOTE: 'of another run' };
  const command = ['sh', '-c', 'spark-submit job.py'];
  const under = { ...attribution, quote: undefined };
  const { program, args, env } = attributeCommand(command, under, before);
  assert.deepEqual([program, ...args], command);
  assert.deepEqual(env, {
    PATH: '/bin',
    TOLLGATE_PROJECT: 'etl',
    TOLLGATE_RESERVATION: 'run-1',
    TOLLGATE_QUOTE: undefined,
    SPARK_SUBMIT_OPTS:
      '-Dspark.tollgate.project=etl -Dspark.tollgate.tag.tollgate.reservation=run-1 -Dmine=1',
  });
});

test('without a reservation the project is still named', () => {
  const under = { project: 'etl', reservation: undefined, quote: undefined };
  const { args, env } = attributeCommand(['spark-submit', 'job.py'], under, {});
  assert.deepEqual(args, ['--conf', 'spark.tollgate.project=etl', 'job.py']);
  assert.equal(env['TOLLGATE_PROJECT'], 'etl');
  assert.equal(env['SPARK_SUBMIT_OPTS'], undefined);
});

test('a command that names a project itself is told', () => {
  const named = ['spark-submit', '--conf', 'spark.tollgate.project=ml', 'job.py'];
  assert.equal(projectNamedBy(named), 'ml');
  assert.equal(projectNamedBy(['spark-submit', 'job.py', ...named.slice(1)]), undefined);
  assert.equal(projectNamedBy(['sh', ...named.slice(1)]), undefined);
});
