import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeControlPlane } from '../support/fake-control-plane.ts';
import { type RunningCommand, startRun } from '../support/run-scenario.ts';
import { temporaryFolder } from '../support/running-tollgate.ts';

interface Scene {
  readonly plane: FakeControlPlane;
  readonly folder: string;
  /** `tollgate run … -- sh -c <script>`. */
  readonly shell: (script: string, ...options: string[]) => RunningCommand;
}

async function scene(play: (scene: Scene) => Promise<void>): Promise<void> {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  const place = { url: plane.url, folder: folder.path };
  const shell: Scene['shell'] = (script, ...options) =>
    startRun(place, [...options, '--', 'sh', '-c', script]);
  await play({ plane, folder: folder.path, shell });
}

/** Says `ready`, then counts signals until the second one. */
const counting = (signal: string): string =>
  `n=0; trap 'n=$((n+1)); echo got $n; [ $n = 2 ] && exit 9' ${signal}; echo ready; ` +
  'while :; do sleep 0.05; done';

test('the exit code is the command’s, its reservation is given back, its words are its own', () =>
  scene(async ({ plane, shell }) => {
    plane.multiplier = '1.15';
    const run = shell('echo out; echo err >&2; exit 7');
    assert.equal(await run.ended, 7);
    assert.equal(run.out(), 'out\n');
    assert.match(run.err(), /project etl pays 1\.15 X[\s\S]*\nerr\n/);
    assert.deepEqual(plane.steps, ['POST quotes', 'POST reservations', 'POST post']);
  }));

test('stdin is the command’s, to the last byte', () =>
  scene(async ({ plane, folder }) => {
    const input = 'x'.repeat(1_000_000);
    const run = startRun({ url: plane.url, folder }, ['-q', '--', 'wc', '-c'], { input });
    assert.equal(await run.ended, 0);
    assert.equal(run.out().trim(), '1000000');
    assert.equal(run.err(), '');
  }));

test('a command that a signal kills: 128 and the signal', () =>
  scene(async ({ plane, shell }) => {
    assert.equal(await shell('kill -KILL $$').ended, 137);
    assert.equal(plane.steps.at(-1), 'POST post');
  }));

test('SIGTERM is passed on, and the command decides how it ends', () =>
  scene(async ({ plane, shell }) => {
    const run = shell("trap 'echo bye; exit 3' TERM; echo $$ ready; while :; do sleep 0.05; done");
    await run.says('ready');
    run.child.kill('SIGTERM');
    assert.equal(await run.ended, 3);
    assert.match(run.out(), /bye/);
    assert.equal(plane.steps.at(-1), 'POST post');
    const pid = Number.parseInt(run.out(), 10);
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }, 'it is left behind');
  }));

test('a second Ctrl+C is passed on as the first', () =>
  scene(async ({ shell }) => {
    const run = shell(counting('INT'));
    await run.says('ready');
    run.child.kill('SIGINT');
    await run.says('got 1');
    run.child.kill('SIGINT');
    assert.equal(await run.ended, 9);
  }));

test('a command that is not there, or no program: 127, 126, and the hold is void', () =>
  scene(async ({ plane, folder }) => {
    const place = { url: plane.url, folder };
    const missing = startRun(place, ['--', 'no-such-program']);
    assert.equal(await missing.ended, 127);
    assert.match(missing.err(), /no-such-program is not found/);
    assert.equal(await startRun(place, ['--', folder]).ended, 126);
    assert.deepEqual(plane.steps.slice(2, 3), ['POST void']);
    assert.equal(plane.steps.at(-1), 'POST void');
  }));

test('what is refused is not started: 125, and why', () =>
  scene(async ({ plane, folder, shell }) => {
    plane.refusals.set('reservations', { status: 403, detail: 'project etl has 3 credits left' });
    const mark = join(folder, 'started');
    const run = shell(`touch ${mark}`);
    assert.equal(await run.ended, 125);
    assert.match(run.err(), /not started: project etl has 3 credits left/);
    assert.ok(!existsSync(mark));
  }));

test('who presses Ctrl+C while it waits has started nothing: 130', () =>
  scene(async ({ plane, folder, shell }) => {
    plane.multiplier = '1.45';
    const mark = join(folder, 'started');
    const run = shell(`touch ${mark}`, '--max-price', '1.2', '--wait');
    await run.says('waiting: the price is 1.45 X');
    run.child.kill('SIGINT');
    assert.equal(await run.ended, 130);
    assert.ok(!existsSync(mark));
    assert.deepEqual(plane.steps, ['POST quotes']);
  }));

test('Tollgate dies while the command runs: it goes on, and one line says so', () =>
  scene(async ({ plane, folder, shell }) => {
    const go = join(folder, 'go');
    const script = `echo ready; until [ -e ${go} ]; do sleep 0.05; done; echo done; exit 5`;
    const run = shell(script, '--lease', '10');
    await run.says('ready');
    await plane.close();
    await run.says('does not answer');
    await writeFile(go, '');
    assert.equal(await run.ended, 5);
    assert.match(run.out(), /done/);
    assert.equal(run.err().match(/does not answer/g)?.length, 1, run.err());
    assert.match(run.err(), /could not be released/);
  }));

test('its project fails closed, and it does not start; open, and it does', () =>
  scene(async ({ plane, shell }) => {
    await plane.close();
    const [closed, open] = [shell('echo ran', '--fail', 'closed'), shell('echo ran; exit 4')];
    assert.equal(await closed.ended, 125);
    assert.equal(closed.out(), '');
    assert.match(closed.err(), /no Tollgate answers at http.*--fail closed/);
    assert.equal(await open.ended, 4);
    assert.match(open.err(), /starts without a reservation/);
  }));

test('--json says the same in objects', () =>
  scene(async ({ shell }) => {
    const run = shell('echo hello', '--json');
    assert.equal(await run.ended, 0);
    const events = run
      .err()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      events.map(({ level, event }) => `${level} ${event}`),
      ['info price', 'info held'],
    );
    assert.equal(run.out(), 'hello\n');
  }));

test('a command line that does not fit together is told whole, and nobody is asked', () =>
  scene(async ({ plane, folder }) => {
    const args = ['--wait', '--', 'spark-submit', '--conf', 'spark.tollgate.project=ml', 'j.py'];
    const run = startRun({ url: plane.url, folder }, args);
    assert.equal(await run.ended, 2);
    assert.match(run.err(), /names project ml, and --project etl\n.*--wait needs --max-price/);
    assert.deepEqual(plane.steps, []);
  }));
