import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeControlPlane } from '../support/fake-control-plane.ts';
import { follow, plainEnv, writeProgram, writeTollgate } from '../support/run-scenario.ts';
import { temporaryFolder } from '../support/running-tollgate.ts';

const README = new URL('../../services/cli/run/README.md', import.meta.url);

/** The example of the README in this language. */
function example(language: string): string {
  const text = readFileSync(README, 'utf8');
  const [, block] = new RegExp(`\`\`\`${language}\\n([^\`]*)\`\`\``).exec(text) ?? [];
  assert.ok(block !== undefined, `the README has an example in ${language}`);
  return block;
}

const ATTRIBUTED =
  '--conf spark.tollgate.project=etl --conf spark.tollgate.tag.tollgate.reservation=run-';

/** A machine with `tollgate` and a `spark-submit` that says its arguments and waits if told to. */
async function machine() {
  await using resources = new AsyncDisposableStack();
  const plane = resources.use(await FakeControlPlane.open());
  const folder = resources.use(await temporaryFolder());
  await writeTollgate(folder.path);
  await writeProgram(
    folder.path,
    'spark-submit',
    [
      "trap 'echo stopping; exit 143' TERM",
      'echo "spark-submit $*"',
      '[ -n "$WAIT" ] || exit 6',
      'while :; do sleep 0.05; done',
    ].join('\n'),
  );
  const bin = join(folder.path, 'bin');
  const open = resources.move();
  return { plane, folder: folder.path, bin, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

test('the example for a shell runs as it stands', async () => {
  await using there = await machine();
  const { plane, bin, folder } = there;
  const more = { PATH: `${bin}:/usr/bin:/bin`, TOLLGATE_URL: plane.url };
  const run = follow(spawn('/bin/sh', ['-c', example('sh')], { env: plainEnv(folder, more) }));
  assert.equal(await run.ended, 6, run.err());
  assert.ok(run.out().startsWith(`spark-submit ${ATTRIBUTED}`), run.out());
  assert.match(run.out(), /tollgate\.quote=abc123 --name nightly .* nightly\.py\n$/);
  const { body } = await plane.request('POST reservations');
  const resources = { cores: 40, memoryMib: 14_080, gpus: 0, executors: 10 };
  assert.deepEqual([body['application'], body['maxCost']], ['nightly', '50']);
  assert.deepEqual(body['resources'], resources);
  assert.equal(plane.steps.at(-1), 'POST post');
});

test('the example for cron runs with nothing but what cron gives it', async () => {
  await using there = await machine();
  const { plane, bin, folder } = there;
  const lines = example('crontab').trim().split('\n');
  const [, command = ''] = /^(?:\S+ ){5}(.*)$/.exec(lines.at(-1) ?? '') ?? [];
  assert.doesNotMatch(command, /%/, 'cron ends a command there');
  const here = command.replace('/usr/local/bin', bin).replace('/opt/spark/bin', bin);
  await writeFile(join(folder, '.tollgate-token'), 'tg_x\n');
  const env = { HOME: folder, LOGNAME: 'etl', SHELL: '/bin/sh', PATH: '/usr/bin:/bin' };
  const run = follow(
    spawn('/bin/sh', ['-c', here], { env: { ...env, TOLLGATE_URL: plane.url }, cwd: folder }),
  );
  assert.equal(await run.ended, 6, run.err());
  assert.equal(run.err(), '', 'cron would mail it');
  assert.ok(run.out().startsWith(`spark-submit ${ATTRIBUTED}`), run.out());
});

/** As Airflow runs it: bash -c in a process group of its own, which is what it ends. */
function asAirflow(
  there: { readonly plane: FakeControlPlane; bin: string; folder: string },
  wait: string,
) {
  const [, command = ''] = /bash_command="([^"]*)"/.exec(example('python')) ?? [];
  const { plane, bin, folder } = there;
  const more = { PATH: `${bin}:/usr/bin:/bin`, TOLLGATE_URL: plane.url, WAIT: wait };
  const options = { env: plainEnv(folder, { ...more, TOLLGATE_TOKEN: 'tg_x' }), detached: true };
  return follow(spawn('bash', ['-c', command], options));
}

test('the example for Airflow tells it what it needs: exit code, and 125 to skip', async () => {
  await using there = await machine();
  const run = asAirflow(there, '');
  assert.equal(await run.ended, 6, run.err());
  there.plane.multiplier = '1.45';
  const dear = asAirflow(there, '');
  assert.equal(await dear.ended, 125);
  assert.match(example('python'), /skip_on_exit_code=125/);
});

test('Airflow ends a task by its process group: the command stops once, the hold is given back', async () => {
  await using there = await machine();
  const run = asAirflow(there, 'yes');
  await run.says('spark-submit --conf');
  process.kill(-(run.child.pid ?? 0), 'SIGTERM');
  await run.ended;
  while (there.plane.steps.at(-1) !== 'POST post') await there.plane.request('POST post');
  assert.match(run.out(), /stopping/);
});
